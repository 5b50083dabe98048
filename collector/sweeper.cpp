#include "collector/sweeper.h"

#include <cstring>

namespace heaprake::collector {

namespace {

// Whether the block is dealt with; when memory is out it stays what it was.
bool take_away(const heap::Block& block, Fate fate, CondemnedSet& condemned) {
  uint8_t byte = heap::unrecord(block);
  if (fate == Fate::kFree) {
    heap::free_unrecorded(block, byte);
    return true;
  }
  if (!condemned.add(block, byte)) {
    heap::restore(block, byte);
    return false;
  }
  if (fate == Fate::kPoison)
    memset(reinterpret_cast<void*>(block.address), kPoisonByte, block.size);
  return true;
}

}  // namespace

Swept sweep(MarkBits& garbage, Fate fate, CondemnedSet& condemned) {
  Swept swept;
  if (!garbage.holds_garbage()) return swept;
  garbage.for_each_set([&](size_t granule) {
    heap::Block block = heap::block_at(granule);
    if (fate == Fate::kCount) {
      block.size = heap::requested_size(block);
    } else {
      garbage.clear(granule);
      if (!take_away(block, fate, condemned)) return;
    }
    swept.blocks++;
    swept.bytes += block.size;
  });
  return swept;
}

}  // namespace heaprake::collector
