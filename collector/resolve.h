// From a word to the block it points into: the marker's own, inlined version of heap::find_block.
// (The verifier uses the heap's, so that each checks the other.) World stopped.
#pragma once

#include <immintrin.h>

#include <bit>

#include "allocator/heap.h"

namespace heaprake::collector {

struct Resolved {
  size_t granule = SIZE_MAX;  // of the block's start; SIZE_MAX: the word points into no block
  size_t size = 0;
  bool leaf = false;
  bool found() const { return granule != SIZE_MAX; }
};

class Resolver {
 public:
  Resolver() : g_(heap::geometry) {}

  // For loops: a copy that stays in registers.
  struct Range {
    uintptr_t base, size;
    // The granule of a word in the range, or SIZE_MAX.
    size_t granule_of(uintptr_t word) const {
      uintptr_t offset = word - base;
      return offset < size ? offset / heap::kGranule : SIZE_MAX;
    }
  };
  Range range() const { return {g_.base, g_.size}; }
  size_t granule_of(uintptr_t word) const { return range().granule_of(word); }
  // Fetches what resolve will read. Prefetching an unmapped line does no harm.
  void prefetch(size_t granule) const { __builtin_prefetch(g_.map + granule, 0, 2); }

  // The granule must lie in a used slice (MarkBits::covers).
  Resolved resolve(size_t granule) const {
    uint8_t byte = g_.map[granule];
    if (byte) return at(granule, byte);
    return resolve_interior(granule);
  }

 private:
  static constexpr size_t kGranulesPerSlice = heap::kSliceSize / heap::kGranule;

  Resolved at(size_t start, uint8_t byte) const {
    if (byte <= heap::kMaxSmallGranules) return {start, byte * heap::kGranule, false};
    heap::Block block = heap::block_at(start);
    return {start, block.size, block.leaf};
  }

  static constexpr size_t kStride = 64;  // granules looked at together; of a slice, a divisor

  // A bit for each of the kStride granules from `at` at which a block starts.
  uint64_t starts_at(size_t at) const {
    const auto* map = reinterpret_cast<const __m128i*>(g_.map + at);
    const __m128i zero = _mm_setzero_si128();
    __m128i bytes[4];
    for (int i = 0; i < 4; i++) bytes[i] = _mm_load_si128(map + i);
    // Most often there is none: a word to the middle of a long block.
    const __m128i any =
        _mm_or_si128(_mm_or_si128(bytes[0], bytes[1]), _mm_or_si128(bytes[2], bytes[3]));
    if (_mm_movemask_epi8(_mm_cmpeq_epi8(any, zero)) == 0xffff) return 0;
    uint64_t empty = 0;
    for (int i = 0; i < 4; i++) {
      auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes[i], zero)));
      empty |= static_cast<uint64_t>(mask) << (16 * i);
    }
    return ~empty;
  }

  // The nearest start at or below `granule`; none is looked for further down than the stride of
  // `lowest`.
  size_t start_before(size_t granule, size_t lowest) const {
    size_t at = granule & ~(kStride - 1);
    // Those above `granule` do not count.
    uint64_t keep = ~uint64_t{0} >> (kStride - 1 - granule % kStride);
    for (;; at -= kStride, keep = ~uint64_t{0}) {
      if (uint64_t starts = starts_at(at) & keep) {
        return at + static_cast<size_t>(std::bit_width(starts)) - 1;
      }
      if (at <= lowest) return SIZE_MAX;
    }
  }

  __attribute__((noinline)) Resolved resolve_interior(size_t granule) const {
    size_t slice_start = granule & ~(kGranulesPerSlice - 1);
    // A small block may begin in the slice before; a large one says so in slice_owner.
    size_t lowest = granule >= heap::kMaxSmallGranules ? granule - heap::kMaxSmallGranules : 0;
    if (slice_start < lowest) lowest = slice_start;
    if (lowest < slice_start && !g_.slice_used[lowest / kGranulesPerSlice]) lowest = slice_start;
    size_t start = start_before(granule, lowest);
    if (start != SIZE_MAX) return if_covers(start, granule);
    uint64_t owner = g_.slice_owner[granule / kGranulesPerSlice];
    if (!owner) return {};
    size_t candidate = (owner - g_.base) / heap::kGranule;
    if (candidate > granule || !g_.map[candidate]) return {};
    return if_covers(candidate, granule);
  }

  Resolved if_covers(size_t start, size_t granule) const {
    Resolved block = at(start, g_.map[start]);
    return (granule - start) * heap::kGranule < block.size ? block : Resolved{};
  }

  const heap::Geometry g_;  // a copy: registers instead of reloads
};

}  // namespace heaprake::collector
