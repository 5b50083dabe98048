#include "allocator/memory.h"

#include <mimalloc.h>

#include <cerrno>

#include "allocator/space.h"
#include "allocator/wide.h"

namespace heaprake::heap {
namespace {

// Alignments that mimalloc gets by taking that much more; beyond it, whole pages are cheaper.
constexpr size_t kMaxPlainAlignment = 4u << 20;

template <class Allocate>
void* from_mimalloc(Allocate allocate) {
  for (;;) {
    void* p = allocate();
    if (p || !wide::extend_arena()) return p;
  }
}

Memory from_wide(size_t bytes, size_t alignment) {
  poll();
  return {reinterpret_cast<uintptr_t>(wide::allocate(bytes, alignment)), true};
}

Memory plain(void* p) {
  return {reinterpret_cast<uintptr_t>(p), false};
}

template <class Allocate>
Memory try_twice(Allocate allocate) {
  Memory memory = allocate();
  if (!memory.p && rescue()) memory = allocate();
  return memory;
}

}  // namespace

Memory obtain(size_t bytes, bool zeroed) {
  return try_twice([=]() -> Memory {
    if (bytes < wide::kMinSize) {
      void* p = from_mimalloc([=] { return zeroed ? mi_zalloc(bytes) : mi_malloc(bytes); });
      if (p) return plain(p);
    }
    return from_wide(bytes, platform::kPageSize);
  });
}

Memory obtain_aligned(size_t bytes, size_t alignment) {
  return try_twice([=]() -> Memory {
    if (bytes < wide::kMinSize && alignment <= kMaxPlainAlignment) {
      void* p = from_mimalloc([=] { return mi_malloc_aligned(bytes, alignment); });
      if (p) return plain(p);
    }
    return from_wide(bytes, alignment);
  });
}

void give_back(void* p) {
  if (space::is_wide(reinterpret_cast<uintptr_t>(p))) return wide::release(p);
  mi_free(p);
}

size_t mimalloc_capacity(const void* p) {
  return mi_usable_size(p);
}

void* no_memory() {
  errno = ENOMEM;
  return nullptr;
}

}  // namespace heaprake::heap
