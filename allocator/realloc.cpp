// Changing a block's length. The old block stays recorded until the new one is.
#include <algorithm>
#include <cstring>

#include "allocator/configuration.h"
#include "allocator/ledger_record.h"
#include "allocator/memory.h"
#include "allocator/misuse.h"
#include "allocator/record.h"
#include "allocator/space.h"
#include "allocator/wide.h"

namespace heaprake::heap {
namespace {

// The same block with another length, if its memory allows it and not too much of it is wasted.
bool resize_in_place(const Block& block, size_t bytes, size_t asked) {
  uint8_t byte = plain_byte((block.address - geometry.base) / kGranule);
  auto* p = reinterpret_cast<void*>(block.address);
  if (byte == kTitled) {
    // How much lies behind it, only mimalloc knows; it may shrink.
    if (bytes > block.size || bytes < block.size / 2) return false;
    record_titled(block.address, bytes, asked, block.leaf, title_of(block.address)->origin);
    return true;
  }
  if (space::is_wide(block.address)) {
    if (bytes < wide::kMinSize || !wide::resize(p, bytes)) return false;
    record_wide(block.address, bytes, asked);
    return true;
  }
  size_t capacity = mimalloc_capacity(p);
  if (bytes > capacity || bytes < capacity / 2) return false;
  record(block.address, bytes, asked);
  return true;
}

}  // namespace

void* reallocate(void* p, size_t size) {
  const Block block = block_start(p, "realloc");
  if (!block) return nullptr;
  size_t bytes = recorded_length(size);
  if (!bytes) return no_memory();
  auto address = reinterpret_cast<uintptr_t>(p);
  if (bytes == block.size) {
    if (fast::table.ledger) ledger::enter(address, bytes, size);
    return p;
  }
  if (resize_in_place(block, bytes, size)) {
    if (bytes > block.size) fast::allocated_bytes += bytes - block.size;
    if (is_noted(address)) move_note(address, address);
    return p;
  }
  void* grown = block.leaf ? allocate_leaf(size) : allocate(size);
  if (!grown) return nullptr;
  std::memcpy(grown, p, std::min(block.size, bytes) - fast::table.pad);
  if (is_noted(address) && !move_note(address, reinterpret_cast<uintptr_t>(grown))) {
    release(grown);
    return no_memory();
  }
  release(p);
  return grown;
}

}  // namespace heaprake::heap
