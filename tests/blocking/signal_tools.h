// Shared by the tests of signals.
#pragma once

#include <signal.h>

// Puts a signal's action back in the end.
class Kept {
 public:
  explicit Kept(int signal) : signal_(signal) { sigaction(signal, nullptr, &action_); }
  ~Kept() { sigaction(signal_, &action_, nullptr); }

 private:
  int signal_;
  struct sigaction action_;
};

inline struct sigaction action_of(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  return action;
}
