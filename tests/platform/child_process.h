// A test's child process, which may change how it handles signals for good: its exit status is the
// verdict.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "platform/platform.h"

#define CHECK(condition)                                                                \
  do {                                                                                  \
    if (!(condition)) {                                                                 \
      fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
      _exit(1);                                                                         \
    }                                                                                   \
  } while (false)

namespace heaprake::platform {

template <class F>
int status_of(F body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // a hang is a failure, not a wait
    start_threads();
    install_stop_signal();
    body();
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

// Whoever runs this must not move while the world is stopped.
inline std::atomic<uint64_t> steps{0};
inline std::atomic<bool> done{false};

inline void install_raw(int signal, void (*handler)(int)) {
  // Through libc for its restorer, but to the kernel's table as any raw call would.
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  CHECK(sigaction(signal, &action, nullptr) == 0);
}

}  // namespace heaprake::platform
