#include "collector/protected_blocks.h"

#include <algorithm>

namespace heaprake::collector {

void ProtectedBlocks::clear() {
  blocks_.clear();
  noted_ = heap::geometry.base;
}

bool ProtectedBlocks::note(const platform::Mapping& piece) {
  uintptr_t end = heap::geometry.base + heap::geometry.size;
  uintptr_t lo = std::max(piece.range.lo, noted_), hi = std::min(piece.range.hi, end);
  if (lo >= hi) return true;
  bool as_it_was = piece.readable && piece.writable && !piece.shared && !piece.file_backed;
  bool room = note_hole(noted_, as_it_was ? lo : hi);
  noted_ = hi;
  return room;
}

bool ProtectedBlocks::finish() {
  return note_hole(noted_, heap::geometry.base + heap::geometry.size);
}

bool ProtectedBlocks::contains(uintptr_t address) const {
  auto below = [](const heap::Block& block, uintptr_t p) { return block.address < p; };
  const heap::Block* found = std::lower_bound(blocks_.begin(), blocks_.end(), address, below);
  return found != blocks_.end() && found->address == address;
}

// Slices that never held a block are holes by nature.
bool ProtectedBlocks::note_hole(uintptr_t lo, uintptr_t hi) {
  using heap::kGranule, heap::kSliceSize;
  const uintptr_t base = heap::geometry.base;
  bool room = true;
  for (uintptr_t at = lo; room && at < hi;) {
    size_t slice = heap::next_used_slice((at - base) / kSliceSize);
    if (slice >= heap::slice_limit()) break;
    at = std::max(at, base + slice * kSliceSize);
    uintptr_t end = std::min(hi, base + (slice + 1) * kSliceSize);
    if (at >= end) break;
    if (heap::Block block = heap::find_block(at)) room = add(block);
    for (size_t g = (at - base) / kGranule; room && g < (end - base) / kGranule; g++) {
      if (heap::geometry.map[g]) room = add(heap::block_at(g));
    }
    at = end;
  }
  return room;
}

bool ProtectedBlocks::add(const heap::Block& block) {
  bool known = !blocks_.empty() && blocks_[blocks_.size() - 1].address == block.address;
  return known || blocks_.push(block);
}

}  // namespace heaprake::collector
