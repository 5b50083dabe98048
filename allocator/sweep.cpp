// Garbage: off the map, back on it, or freed.
#include "allocator/memory.h"
#include "allocator/record.h"

namespace heaprake::heap {

uint8_t unrecord(const Block& block) {
  uint8_t byte = plain_byte((block.address - geometry.base) / kGranule);
  withdraw(block.address);
  return byte;
}

void restore(const Block& block, uint8_t byte) {
  publish_plain(block.address, byte);
}

void free_unrecorded(const Block& block, uint8_t byte) {
  give_back(byte == kTitled ? title_of(block.address)->origin
                            : reinterpret_cast<void*>(block.address));
}

}  // namespace heaprake::heap
