// The filter: which words of a piece of memory might be addresses in the heap. This is where the
// marker reads memory, and the only place.
//
// The heap's range spans few values of a word's upper half, so one vector comparison of all 32-bit
// lanes against those values finds the upper halves of candidates at every 4-byte alignment at
// once:
//
//     lane      0     1     2     3     4  ...
//     memory  [ lo ][ hi ][ lo ][ hi ][ lo ]      hi in an odd lane: a word at an 8-byte boundary
//                   [ lo ][ hi ]                  hi in an even lane: one at a 4-byte boundary
//
// Candidates are then checked against the exact range by whoever resolves them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "collector/word_rule.h"

namespace heaprake::collector {

// From this size on a block's untouched pages are looked for, and left untouched.
inline constexpr size_t kSparseBytes = 1 << 20;

struct Filter {
  uint32_t first_high;  // of the range's first address
  uint32_t high_count;  // how many upper halves the range spans
  WordRule rule;

  // Writes the candidates in [lo, hi) to `out`, without their tags, in address order for alignment
  // 8 and without disguises, and returns how many. lo is a multiple of 8, hi of 8 too; words lie
  // wholly inside. `out` has room for capacity_for(hi - lo) entries. `block`: as for_each_disguised
  // has it.
  size_t operator()(const void* lo, const void* hi, uintptr_t* out, uintptr_t block = 0) const;
  uint32_t keep_high() const { return static_cast<uint32_t>(rule.keep >> 32); }
  size_t capacity_for(size_t bytes) const {
    const size_t words = bytes >> std::countr_zero(rule.alignment);
    return words * (rule.disguises ? 1 + kMostDisguises : 1) + 16;
  }

  static Filter for_heap(WordRule rule);
};

}  // namespace heaprake::collector
