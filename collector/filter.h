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

// Of a block, whole granules.
struct Piece {
  size_t granule, granules;
};

struct Filter {
  // Pieces of at most so many granules are short.
  static constexpr size_t kShort = 16;

  uint32_t first_high;  // of the range's first address
  uint32_t high_count;  // how many upper halves the range spans
  WordRule rule;

  // Writes the candidates in [lo, hi) to `out`, without their tags, in address order for alignment
  // 8 and without disguises, and returns how many. lo is a multiple of 8, hi of 8 too; words lie
  // wholly inside. `out` has room for capacity_for(hi - lo) entries. `block`: as for_each_disguised
  // has it.
  size_t operator()(const void* lo, const void* hi, uintptr_t* out, uintptr_t block = 0) const;
  // The same for short pieces, which cost less together, where reads_together(): as many of them as
  // it takes to find `enough` candidates in the form of an address, at most `count`. Returns how
  // many pieces were read, and adds to *found. `out` has room for `enough` and
  // capacity_for(count * kShort granules).
  size_t of_short(const Piece* pieces, size_t count, size_t enough, uintptr_t* out,
                  size_t* found) const;
  bool reads_together() const {
    return !rule.disguises || (rule.disguises == kDigits && rule.alignment != 1);
  }
  uint32_t keep_high() const { return static_cast<uint32_t>(rule.keep >> 32); }
  size_t capacity_for(size_t bytes) const {
    const size_t words = bytes >> std::countr_zero(rule.alignment);
    return words * (rule.disguises ? 1 + kMostDisguises : 1) + 16;
  }

  static Filter for_heap(WordRule rule);
};

}  // namespace heaprake::collector
