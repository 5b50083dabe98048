// Raw system calls. libc's wrappers set errno, may be cancellation points, and may be interposed by
// the program; these are none of it. A result in [-4095, -1] is an error number, negated.
#pragma once

#include <sys/syscall.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace heaprake::platform::sys {

template <class T>
inline long word(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<long>(value);
  } else {
    return static_cast<long>(value);
  }
}
inline long word(std::nullptr_t) {
  return 0;
}

// How many signals the main thread has put off so far; and whether that is why a call of the
// calling thread's ended early, which was made after so many (deferred_signals.cpp).
extern std::atomic<uint32_t> put_off;
bool was_put_off_since(uint32_t count);

// Whether a call that such a signal has interrupted is made again here, so that nobody needs to
// think of it: the main thread takes signals while it collects. Not those that wait, whose callers
// look again at what they wait for, nor close, which has closed.
constexpr bool is_made_again(long number) {
  return number != SYS_close && number != SYS_futex && number != SYS_nanosleep;
}

inline long call6(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

template <class A = long, class B = long, class C = long, class D = long, class E = long,
          class F = long>
inline long call(long number, A a = 0, B b = 0, C c = 0, D d = 0, E e = 0, F f = 0) {
  constexpr long kInterrupted = -4;
  for (;;) {
    const uint32_t before = put_off.load(std::memory_order_relaxed);
    const long result = call6(number, word(a), word(b), word(c), word(d), word(e), word(f));
    if (result != kInterrupted || !is_made_again(number) || !was_put_off_since(before))
      return result;
  }
}

inline bool failed(long result) {
  return static_cast<unsigned long>(result) > -4096ul;
}

}  // namespace heaprake::platform::sys
