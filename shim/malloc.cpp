// The malloc family as glibc specifies it. No logic: the heap allocates, first_use.h starts it,
// misuse.cpp deals with bad addresses.
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "allocator/heap.h"
#include "shim/clean.h"
#include "shim/export.h"
#include "shim/first_use.h"
#include "shim/glibc_blocks.h"
#include "shim/misuse.h"

using heaprake::shim::with_heap;
namespace heap = heaprake::heap;
namespace shim = heaprake::shim;

namespace {

constexpr size_t kPage = heaprake::platform::kPageSize;

bool is_power_of_two(size_t n) {
  return n != 0 && (n & (n - 1)) == 0;
}

// glibc rounds an alignment that is no power of two up to one, and refuses what cannot be rounded.
void* aligned(size_t alignment, size_t size) {
  if (alignment > SIZE_MAX / 2 + 1) {
    errno = EINVAL;
    return nullptr;
  }
  size_t rounded = heap::kGranule;
  while (rounded < alignment) rounded <<= 1;
  return with_heap([=] { return shim::allocate_clean_aligned(rounded, size); },
                   [=] { return shim::glibc_aligned(rounded, size); });
}

}  // namespace

HEAPRAKE_EXPORT void* malloc(size_t size) {
  return shim::allocate(size);
}

HEAPRAKE_EXPORT void* calloc(size_t count, size_t size) {
  return with_heap([=] { return heap::allocate_zeroed(count, size); },
                   [=] { return shim::glibc_calloc(count, size); });
}

HEAPRAKE_EXPORT void free(void* p) {
  heap::release(p);
}

HEAPRAKE_EXPORT void* realloc(void* p, size_t size) {
  if (!p) return malloc(size);
  if (size == 0) return free(p), nullptr;
  void* grown = shim::reallocate_clean(p, size);
  return grown ? grown : shim::realloc_failed(p, size);
}

HEAPRAKE_EXPORT void* reallocarray(void* p, size_t count, size_t size) {
  size_t bytes;
  if (!__builtin_mul_overflow(count, size, &bytes)) return realloc(p, bytes);
  errno = ENOMEM;
  return nullptr;
}

HEAPRAKE_EXPORT void cfree(void* p) {
  free(p);
}
HEAPRAKE_EXPORT void free_sized(void* p, size_t) {
  free(p);
}
HEAPRAKE_EXPORT void free_aligned_sized(void* p, size_t, size_t) {
  free(p);
}

HEAPRAKE_EXPORT void* memalign(size_t alignment, size_t size) {
  return aligned(alignment, size);
}

// glibc 2.36's aligned_alloc is its memalign: it asks neither for a power of two nor for a
// multiple.
HEAPRAKE_EXPORT void* aligned_alloc(size_t alignment, size_t size) {
  return aligned(alignment, size);
}

HEAPRAKE_EXPORT int posix_memalign(void** out, size_t alignment, size_t size) {
  if (alignment % sizeof(void*) != 0 || !is_power_of_two(alignment)) return EINVAL;
  void* p = aligned(alignment, size);
  if (!p) return ENOMEM;
  *out = p;
  return 0;
}

HEAPRAKE_EXPORT void* valloc(size_t size) {
  return aligned(kPage, size);
}

HEAPRAKE_EXPORT void* pvalloc(size_t size) {
  size_t rounded;
  if (!__builtin_add_overflow(size, kPage - 1, &rounded)) {
    return aligned(kPage, rounded & ~(kPage - 1));
  }
  errno = ENOMEM;
  return nullptr;
}

HEAPRAKE_EXPORT size_t malloc_usable_size(void* p) {
  if (!p) return 0;
  size_t size = heap::usable_size(p);
  return size ? size : shim::usable_size_failed(p);
}
