// The filter and the marks in one: which granules with a clear mark bit the words of a long piece
// lead to. Most words of a large block, an array of references say, lead to blocks that are marked
// by then, or are no references; they are done with in registers, eight at a time, and never
// written down. For short pieces it is better to fetch their mark words a step ahead, as the marker
// does.
#pragma once

#include "collector/filter.h"
#include "collector/mark_bits.h"

namespace heaprake::collector {

class Unmarked {
 public:
  // From so many granules on (2 KiB) a piece is long.
  static constexpr size_t kLong = 128;
  // More is not found at a time.
  static constexpr size_t kMost = 16;

  Unmarked(const Filter& filter, const MarkBits& bits);

  // Whether this machine has the instructions, and the rule is one of the usual ones. The marker
  // does it in steps otherwise.
  bool usable() const { return usable_; }

  // Adds granules to out[*count], and returns how many granules of the piece have been read: all,
  // or what it took until fewer than kMost more fit below `room`. The rest of the piece is one that
  // begins a granule earlier, for 4-aligned words that straddle. Only if usable().
  size_t operator()(const Piece& piece, size_t* out, size_t room, size_t* count) const;

 private:
  const Filter& filter_;
  const MarkBits::Reader bits_;
  const bool usable_;
};

}  // namespace heaprake::collector
