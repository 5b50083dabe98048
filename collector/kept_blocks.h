// Sets of blocks that collections keep and scan whatever refers to them: frozen ones (gc_freeze),
// and garbage that is not to be freed (GC_DEBUG_SAVEALL). A bit for every granule: an eighth of the
// heap's map.
//
// A block that the program frees leaves its bit behind until the next collection: if another block
// has taken the place by then, that one is kept instead.
//
// Under the collector's lock; roots and marks while the world is stopped.
#pragma once

#include <atomic>

#include "collector/mark_bits.h"

namespace heaprake::collector {

class KeptBlocks {
 public:
  // Every block that exists now. false: out of memory, and the set is what it was.
  bool fill();
  // In addition, what the bits hold. false: as above.
  bool add(MarkBits& blocks);
  void clear();

  // Blocks that are gone are in it no more.
  void forget_dead();
  // Any thread, without the lock: whether there may be one.
  bool any() const { return any_.load(std::memory_order_relaxed); }
  // Blocks, those of one slice or all, in address order.
  template <class Visit>
  void for_each_in_slice(size_t slice, Visit visit) {
    bits_.for_each_set_in_slice(slice, [&](size_t granule) {
      if (const heap::Block block = heap::block_at(granule)) visit(block);
    });
  }
  template <class Visit>
  void for_each(Visit visit) {
    bits_.for_each_set([&](size_t granule) {
      if (const heap::Block block = heap::block_at(granule)) visit(block);
    });
  }
  size_t count() {
    size_t count = 0;
    for_each([&](const heap::Block&) { count++; });
    return count;
  }

 private:
  MarkBits bits_;
  std::atomic<bool> any_{false};
};

extern KeptBlocks frozen;
extern KeptBlocks saved;

}  // namespace heaprake::collector
