#include "collector/condemned.h"

namespace heaprake::collector {

namespace {

// SIZE_MAX if p cannot be the start of a block.
size_t granule_of(const void* p) {
  uintptr_t offset = reinterpret_cast<uintptr_t>(p) - heap::geometry.base;
  if (offset >= heap::geometry.size || offset % heap::kGranule) return SIZE_MAX;
  return offset / heap::kGranule;
}

}  // namespace

bool CondemnedSet::add(const heap::Block& block, uint8_t byte) {
  size_t granule = (block.address - heap::geometry.base) / heap::kGranule;
  if (!bytes_.make_room(granule)) return false;
  bytes_.set(granule, byte);
  return true;
}

bool CondemnedSet::contains(const void* p) const {
  size_t granule = granule_of(p);
  return granule != SIZE_MAX && bytes_.get(granule) != 0;
}

uint8_t CondemnedSet::take(const void* p) {
  return contains(p) ? bytes_.exchange(granule_of(p), 0) : 0;
}

}  // namespace heaprake::collector
