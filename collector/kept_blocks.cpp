#include "collector/kept_blocks.h"

namespace heaprake::collector {

constinit KeptBlocks frozen;
constinit KeptBlocks saved;

bool KeptBlocks::fill() {
  if (!bits_.prepare(0)) return false;
  // What is recorded and not marked: all of it.
  bits_.turn_into_garbage();
  any_.store(true, std::memory_order_relaxed);
  return true;
}

bool KeptBlocks::add(MarkBits& blocks) {
  if (!bits_.cover()) return false;
  blocks.for_each_set([&](size_t granule) {
    bits_.test_and_set<false>(granule);
    any_.store(true, std::memory_order_relaxed);
  });
  return true;
}

void KeptBlocks::clear() {
  if (!any()) return;
  bits_.for_each_set([&](size_t granule) { bits_.clear(granule); });
  any_.store(false, std::memory_order_relaxed);
}

void KeptBlocks::forget_dead() {
  if (!any()) return;
  bits_.for_each_set([&](size_t granule) {
    if (!heap::geometry.map[granule]) bits_.clear(granule);
  });
}

}  // namespace heaprake::collector
