// A seccomp filter that was there before the program began, installed by whoever executed it. It
// cannot be looked at, and may end the process for any call that the program itself never makes. So
// the library keeps to calls that the loader has already survived: it is quiet.
//
// notice_inherited_filter comes before any other system call of ours.
#pragma once

#include <atomic>

namespace heaprake::platform {

extern std::atomic<bool> quiet;

inline bool is_quiet() {
  return quiet.load(std::memory_order_relaxed);
}

// In a quiet process: its id, as last learnt; a number for the calling thread, which is not the
// kernel's and serves only to tell threads apart.
int quiet_process_id();
int quiet_thread_id();
// In a forked child, on its one thread. Makes no system call: the program may meanwhile have a
// filter of its own, stricter than what the loader has survived.
void learn_quiet_process_id();

}  // namespace heaprake::platform
