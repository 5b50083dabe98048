// Sleeping until a word changes. Private futexes: they are never shared with another program.
#pragma once

#include <linux/futex.h>

#include <cstdint>

#include "platform/syscall.h"

namespace heaprake::platform {

// Sleeps while *word == expected; also returns on a wake, a signal, or after `timeout_ns` (0: no
// limit). The caller looks at its condition again.
inline void futex_wait(const void* word, uint32_t expected, uint64_t timeout_ns = 0) {
  const struct {
    int64_t seconds, nanoseconds;
  } limit{static_cast<int64_t>(timeout_ns / 1000000000u),
          static_cast<int64_t>(timeout_ns % 1000000000u)};
  sys::call(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ns != 0 ? &limit : nullptr);
}

// So long, or until a signal comes.
inline void nap(uint64_t nanoseconds) {
  constexpr uint32_t kNever = 0;
  futex_wait(&kNever, kNever, nanoseconds);
}

inline void futex_wake(const void* word, int count) {
  sys::call(SYS_futex, word, FUTEX_WAKE_PRIVATE, count);
}

}  // namespace heaprake::platform
