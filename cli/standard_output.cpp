#include "cli/standard_output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "cli/failure.h"

namespace heaprake::cli {

namespace {

int first_error = 0;  // an errno value; alive when exit flushes stdout once more

// As stdio wants it: how much was written, less than asked for after an error.
ssize_t write_out(void*, const char* text, size_t length) {
  size_t done = 0;
  while (done < length) {
    const ssize_t n = write(STDOUT_FILENO, text + done, length - done);
    if (n >= 0) {
      done += static_cast<size_t>(n);
    } else if (errno != EINTR) {
      if (first_error == 0) first_error = errno;
      break;
    }
  }
  return static_cast<ssize_t>(done);
}

}  // namespace

// An ordinary stdout does not remember the error of an earlier write, only that there was one.
void watch_standard_output() {
  cookie_io_functions_t functions{};
  functions.write = write_out;
  if (FILE* stream = fopencookie(nullptr, "w", functions)) stdout = stream;
}

void finish_standard_output() {
  std::fflush(stdout);
  if (first_error == 0 || first_error == EPIPE) return;
  throw Failure(kExitFailure,
                std::string("cannot write to the standard output: ") + std::strerror(first_error));
}

}  // namespace heaprake::cli
