// Every recorded block, in address order. Exact while the world is stopped; otherwise a moment's
// approximation, safe at any time.
#pragma once

#include <immintrin.h>

#include <bit>

#include "allocator/heap.h"

namespace heaprake::collector {

// visit(const heap::Block&) returns false to stop.
template <class Visit>
void for_each_block(Visit visit) {
  constexpr size_t kGranulesPerSlice = heap::kSliceSize / heap::kGranule;
  const heap::Geometry& g = heap::geometry;
  for (size_t slice = heap::next_used_slice(0); slice < heap::slice_limit();
       slice = heap::next_used_slice(slice + 1)) {
    for (size_t at = slice * kGranulesPerSlice; at < (slice + 1) * kGranulesPerSlice; at += 16) {
      __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(g.map + at));
      unsigned starts =
          ~static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128()))) &
          0xffffu;
      for (; starts; starts &= starts - 1) {
        heap::Block block = heap::block_at(at + static_cast<size_t>(std::countr_zero(starts)));
        // A block freed since its byte was read reads as an empty one.
        if (block && !visit(block)) return;
      }
    }
  }
}

}  // namespace heaprake::collector
