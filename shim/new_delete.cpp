// Every form of operator new and delete that C++20 lets a program replace.
#include <new>

#include "allocator/heap.h"
#include "shim/clean.h"
#include "shim/first_use.h"
#include "shim/glibc_blocks.h"
#include "shim/new_failure.h"

namespace heap = heaprake::heap;
namespace shim = heaprake::shim;

#define HEAPRAKE_OPERATOR __attribute__((visibility("default")))

namespace {

inline void* aligned(size_t size, std::align_val_t alignment) {
  return shim::with_heap([=] { return shim::allocate_clean_aligned(size_t(alignment), size); },
                         [=] { return shim::glibc_aligned(size_t(alignment), size); });
}

// Out of line, so that the usual way needs no stack frame.
[[gnu::noinline]] void* checked_further(size_t size) {
  void* p = shim::allocate_further(size);
  return p ? p : shim::new_failed(heap::kGranule, size);
}

inline void* checked(size_t size) {
  void* p = heap::allocate_at_hand(size);
  return p ? p : checked_further(size);
}

inline void* checked(size_t size, std::align_val_t alignment) {
  void* p = aligned(size, alignment);
  return p ? p : shim::new_failed(size_t(alignment), size);
}

inline void* nothrow(size_t size) noexcept {
  void* p = shim::allocate(size);
  return p ? p : shim::nothrow_new_failed(heap::kGranule, size);
}

inline void* nothrow(size_t size, std::align_val_t alignment) noexcept {
  void* p = aligned(size, alignment);
  return p ? p : shim::nothrow_new_failed(size_t(alignment), size);
}

inline void release(void* p) noexcept {
  heap::release(p);
}

}  // namespace

using Align = std::align_val_t;
using NoThrow = std::nothrow_t;

HEAPRAKE_OPERATOR void* operator new(size_t n) {
  return checked(n);
}
HEAPRAKE_OPERATOR void* operator new[](size_t n) {
  return checked(n);
}
HEAPRAKE_OPERATOR void* operator new(size_t n, Align a) {
  return checked(n, a);
}
HEAPRAKE_OPERATOR void* operator new[](size_t n, Align a) {
  return checked(n, a);
}
HEAPRAKE_OPERATOR void* operator new(size_t n, const NoThrow&) noexcept {
  return nothrow(n);
}
HEAPRAKE_OPERATOR void* operator new[](size_t n, const NoThrow&) noexcept {
  return nothrow(n);
}
HEAPRAKE_OPERATOR void* operator new(size_t n, Align a, const NoThrow&) noexcept {
  return nothrow(n, a);
}
HEAPRAKE_OPERATOR void* operator new[](size_t n, Align a, const NoThrow&) noexcept {
  return nothrow(n, a);
}

HEAPRAKE_OPERATOR void operator delete(void* p) noexcept {
  release(p);
}
HEAPRAKE_OPERATOR void operator delete[](void* p) noexcept {
  release(p);
}
HEAPRAKE_OPERATOR void operator delete(void* p, size_t) noexcept {
  release(p);
}
HEAPRAKE_OPERATOR void operator delete[](void* p, size_t) noexcept {
  release(p);
}
HEAPRAKE_OPERATOR void operator delete(void* p, Align) noexcept {
  release(p);
}
HEAPRAKE_OPERATOR void operator delete[](void* p, Align) noexcept {
  release(p);
}
HEAPRAKE_OPERATOR void operator delete(void* p, size_t, Align) noexcept {
  release(p);
}
HEAPRAKE_OPERATOR void operator delete[](void* p, size_t, Align) noexcept {
  release(p);
}
HEAPRAKE_OPERATOR void operator delete(void* p, const NoThrow&) noexcept {
  release(p);
}
HEAPRAKE_OPERATOR void operator delete[](void* p, const NoThrow&) noexcept {
  release(p);
}
HEAPRAKE_OPERATOR void operator delete(void* p, Align, const NoThrow&) noexcept {
  release(p);
}
HEAPRAKE_OPERATOR void operator delete[](void* p, Align, const NoThrow&) noexcept {
  release(p);
}
