// Raw system calls. libc's wrappers set errno, may be cancellation points, and may be interposed by
// the program; these are none of it. A result in [-4095, -1] is an error number, negated.
#pragma once

#include <sys/syscall.h>

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
  return call6(number, word(a), word(b), word(c), word(d), word(e), word(f));
}

inline bool failed(long result) {
  return static_cast<unsigned long>(result) > -4096ul;
}

}  // namespace heaprake::platform::sys
