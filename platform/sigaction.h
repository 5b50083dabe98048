// The kernel's own signal interface, which libc's differs from.
#pragma once

#include <cstdint>

#include "platform/syscall.h"

namespace heaprake::platform {

struct KernelSigaction {
  uintptr_t handler;  // 0 default, 1 ignored
  uint64_t flags;
  uintptr_t restorer;
  uint64_t mask;
};
static_assert(sizeof(KernelSigaction) == 32);

inline constexpr uint64_t kSaRestorer = 0x04000000;

constexpr uint64_t signal_bit(int signal) {
  return uint64_t{1} << (signal - 1);
}

// Whether the kernel may deliver a second one before the handler of the first has begun.
inline bool may_nest(const KernelSigaction& action, int signal) {
  constexpr uint64_t kNoDefer = 0x40000000;
  return (action.flags & kNoDefer) != 0 && (action.mask & signal_bit(signal)) == 0;
}

inline bool get_action(int signal, KernelSigaction* out) {
  return !sys::failed(sys::call(SYS_rt_sigaction, signal, nullptr, out, sizeof out->mask));
}
inline bool set_action(int signal, const KernelSigaction& action) {
  return !sys::failed(sys::call(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask));
}

}  // namespace heaprake::platform
