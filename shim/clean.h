// Mode hunt: all memory is given out zeroed. What earlier owners left in a block that the program
// never fills would look like references of its own: lost blocks would seem to be held, and
// strangers to refer to each other.
//
// Where only few frames are looked at, for the sake of speed, small blocks stay as they are:
// clearing them would take as long. Large ones do where zeroing would touch pages that the program
// may never use.
#pragma once

#include <emmintrin.h>

#include <cstddef>

#include "allocator/heap.h"

namespace heaprake::shim {

namespace clean {

// Blocks of that size and more are zeroed. Written once, before the process has a second thread.
extern size_t least;

// What the program may use of a block, if it asks for that much.
inline size_t room(size_t size) {
  const size_t pad = heap::fast::table.pad;
  return ((size + pad - 1) / heap::kGranule + 1) * heap::kGranule - pad;
}

// Up to here that is cheaper than asking mimalloc whether the memory is fresh.
inline constexpr size_t kSmall = 512;
// Up to here a block's pages have most likely been used before, or will be.
inline constexpr size_t kMostTouched = 256 * 1024;
// memset, for who calls it fifty million times with a few dozen bytes. The first word is zero.
inline void clear_small(char* p, size_t bytes) {
  if (bytes < 16) return;
  for (size_t at = 0; at + 16 < bytes; at += 16)
    _mm_store_si128(reinterpret_cast<__m128i*>(p + at), _mm_setzero_si128());
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p + bytes - 16), _mm_setzero_si128());
}

}  // namespace clean

// heap::fast::allocate_uncommon, of memory that is zeroed where mode and options say so. Part of
// its caller: a frame more would take its time when the ledger looks for the program's.
[[gnu::always_inline]] inline void* allocate_clean(size_t size) {
  if (size < clean::least || size > clean::kMostTouched) [[likely]]
    return heap::fast::allocate_uncommon(size);
  if (size > clean::kSmall) return heap::allocate_zeroed(1, size);
  void* p = heap::fast::allocate_uncommon(size);
  if (p) [[likely]]
    clean::clear_small(static_cast<char*>(p), clean::room(size));
  return p;
}

// Once the options are read and the heap is there.
void start_cleaning();

// heap::allocate_aligned and reallocate, likewise.
void* allocate_clean_aligned(size_t alignment, size_t size);
void* reallocate_clean(void* p, size_t size);

}  // namespace heaprake::shim
