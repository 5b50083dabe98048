// Garbage: off the map, back on it, or freed.
#include <atomic>
#include <cstring>

#include "allocator/memory.h"
#include "allocator/record.h"

namespace heaprake::heap {

uint8_t recorded_byte(const Block& block) {
  return plain_byte((block.address - geometry.base) / kGranule);
}

uint8_t unrecord(const Block& block) {
  return take_off(block.address);
}

void restore(const Block& block, uint8_t byte) {
  publish_plain(block.address, byte);
}

void free_unrecorded(const Block& block, uint8_t byte) {
  auto* p = reinterpret_cast<void*>(block.address);
  void* origin = byte == kTitled ? title_of(block.address)->origin : p;
  // What the next owner leaves unwritten would go on referring to where garbage was, and so keep
  // what is there by then: one such word held 30 MB of dropped trees together. Only small blocks:
  // the pages of large ones may never have been touched.
  if (block.size <= kMaxSmall) std::memset(p, 0, block.size);
  give_back(origin);
}

}  // namespace heaprake::heap
