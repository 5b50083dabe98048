// A program's file before it is started: a verdict or one sentence, never more.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "cli/elf_check.h"
#include "cli/failure.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = memfd_create("program", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  heaprake::cli::is_shell_text(path);
  try {
    heaprake::cli::check_program(path, heaprake::cli::Identity::current());
  } catch (const heaprake::cli::Failure& failure) {
    if (failure.message.empty() || failure.message.find('\n') != std::string::npos) std::abort();
  }
  close(fd);
  return 0;
}
