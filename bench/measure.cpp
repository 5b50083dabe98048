// Runs a command and says what it took: peak resident memory and times, as the kernel counted them.
//
//   measure FILE COMMAND [ARG...]
//
// Writes one line of `name=value` pairs to FILE. Exit status: the command's own, 128 + the signal
// that killed it, 126 or 127 as a shell when it could not be started.
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>

extern char** environ;

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: measure FILE COMMAND [ARG...]\n");
    return 2;
  }
  // An interrupt from the terminal ends the command; the figures are still written.
  std::signal(SIGINT, SIG_IGN);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGINT);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  const auto start = std::chrono::steady_clock::now();
  pid_t child = 0;
  const int error = posix_spawnp(&child, argv[2], nullptr, &attributes, argv + 2, environ);
  if (error != 0) {
    std::fprintf(stderr, "measure: %s: %s\n", argv[2], std::strerror(error));
    return error == ENOENT ? 127 : 126;
  }
  int status = 0;
  rusage usage{};
  while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;

  std::FILE* out = std::fopen(argv[1], "w");
  if (out == nullptr) {
    std::fprintf(stderr, "measure: %s: %s\n", argv[1], std::strerror(errno));
    return 1;
  }
  std::fprintf(out, "peak_kib=%ld wall_s=%.3f user_s=%.3f system_s=%.3f\n", usage.ru_maxrss,
               wall.count(), seconds(usage.ru_utime), seconds(usage.ru_stime));
  std::fclose(out);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
