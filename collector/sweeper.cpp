#include "collector/sweeper.h"

#include <cstring>

namespace heaprake::collector {

namespace {

enum class Taken { kYes, kGone, kNoMemory };

// Off the map, if it is still the block that had this byte, and not one that took its place.
bool take_off(const heap::Block& block, uint8_t byte) {
  const uint8_t taken = heap::unrecord(block);
  if (taken != byte && taken != 0) heap::restore(block, taken);
  return taken == byte;
}

Taken free_block(const heap::Block& block, uint8_t byte) {
  if (!take_off(block, byte)) return Taken::kGone;
  heap::free_unrecorded(block, byte);
  return Taken::kYes;
}

// In the set before it is off the map: who frees it finds it in one of the two.
Taken take_away(const heap::Block& block, uint8_t byte, bool poisons, CondemnedSet& condemned) {
  if (!condemned.add(block, byte)) return Taken::kNoMemory;
  if (!take_off(block, byte)) {
    condemned.take(reinterpret_cast<void*>(block.address));
    return Taken::kGone;
  }
  if (poisons) memset(reinterpret_cast<void*>(block.address), kPoisonByte, block.size);
  return Taken::kYes;
}

Taken deal_with(const heap::Block& block, Fate fate, CondemnedSet& condemned) {
  const uint8_t byte = block ? heap::recorded_byte(block) : 0;
  if (byte == 0) return Taken::kGone;
  if (fate == Fate::kCount) return Taken::kYes;
  if (fate == Fate::kFree) return free_block(block, byte);
  return take_away(block, byte, fate == Fate::kPoison, condemned);
}

}  // namespace

Swept sweep(MarkBits& garbage, Fate fate, CondemnedSet& condemned) {
  Swept swept;
  if (!garbage.holds_garbage()) return swept;
  if (fate == Fate::kFree) {
    garbage.for_each_slice([&](size_t slice, uint64_t* bits) {
      const heap::Freed freed = heap::free_garbage(slice, bits);
      swept.blocks += freed.blocks;
      swept.bytes += freed.bytes;
      swept.gone += freed.gone;
    });
  }
  garbage.for_each_set([&](size_t granule) {
    const heap::Block block = heap::block_at(granule);
    if (fate != Fate::kCount) garbage.clear(granule);
    switch (deal_with(block, fate, condemned)) {
      case Taken::kYes:
        swept.blocks++;
        swept.bytes += fate == Fate::kCount ? heap::requested_size(block) : block.size;
        break;
      case Taken::kGone:
        swept.gone++;
        break;
      case Taken::kNoMemory:
        break;
    }
  });
  return swept;
}

}  // namespace heaprake::collector
