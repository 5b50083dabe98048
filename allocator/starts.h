// Looking for blocks' starts on the map.
#pragma once

#include <emmintrin.h>

#include <bit>

#include "allocator/heap.h"

namespace heaprake::heap {

inline constexpr size_t kNoStart = SIZE_MAX;

inline unsigned nonzero_mask(const uint8_t* sixteen) {
  __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(sixteen));
  __m128i empty = _mm_cmpeq_epi8(bytes, _mm_setzero_si128());
  return ~static_cast<unsigned>(_mm_movemask_epi8(empty)) & 0xffffu;
}

// The last granule in [lowest, granule] whose byte is not zero, kNoStart if all are.
inline size_t last_start(size_t lowest, size_t granule) {
  size_t at = granule & ~size_t{15};
  unsigned keep = (2u << (granule & 15)) - 1;
  for (;; at -= 16, keep = 0xffffu) {
    if (unsigned starts = nonzero_mask(geometry.map + at) & keep) {
      size_t found = at + static_cast<size_t>(std::bit_width(starts)) - 1;
      return found >= lowest ? found : kNoStart;
    }
    if (at <= lowest) return kNoStart;
  }
}

}  // namespace heaprake::heap
