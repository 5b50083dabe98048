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

inline bool get_action(int signal, KernelSigaction* out) {
  return !sys::failed(sys::call(SYS_rt_sigaction, signal, nullptr, out, sizeof out->mask));
}
inline bool set_action(int signal, const KernelSigaction& action) {
  return !sys::failed(sys::call(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask));
}

}  // namespace heaprake::platform
