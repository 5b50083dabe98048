// From an address to the block that contains it.
#include "allocator/configuration.h"
#include "allocator/ledger_record.h"
#include "allocator/misuse.h"
#include "allocator/record.h"
#include "allocator/space.h"
#include "allocator/starts.h"

namespace heaprake::heap {
namespace {

constexpr size_t kGranulesPerSlice = kSliceSize / kGranule;

Block if_contains(size_t start, uintptr_t p) {
  Block block = block_at(start);
  return p - block.address < block.size ? block : Block{};
}

// A block that covers the first byte of p's slice says so in slice_owner; what stands there may be
// about a block that is gone.
Block block_over_slice(uintptr_t p) {
  uintptr_t owner = geometry.slice_owner[(p - geometry.base) / kSliceSize];
  if (!owner || !*byte_of(owner)) return {};
  return if_contains((owner - geometry.base) / kGranule, p);
}

}  // namespace

Block block_at(size_t granule) {
  uintptr_t address = geometry.base + granule * kGranule;
  switch (uint8_t byte = plain_byte(granule)) {
    case 0:
      return {};
    case kLarge:
      return {address, *large_bytes_of(address), false};
    case kTitled:
      return {address, title_of(address)->size(), title_of(address)->leaf()};
    default:
      return {address, byte * kGranule, false};
  }
}

Block find_block(uintptr_t p) {
  if (!space::in_range(p)) return {};
  size_t slice = (p - geometry.base) / kSliceSize;
  if (!geometry.slice_used[slice]) return {};
  size_t granule = (p - geometry.base) / kGranule;
  if (geometry.map[granule]) return if_contains(granule, p);
  // Near by first: small blocks are many. They may begin in the slice before.
  size_t near = granule > kMaxSmallGranules ? granule - kMaxSmallGranules : 0;
  size_t start = last_start(near, granule);
  if (start != kNoStart) return if_contains(start, p);
  if (Block block = block_over_slice(p)) return block;
  size_t slice_start = slice * kGranulesPerSlice;
  if (near <= slice_start) return {};
  start = last_start(slice_start, near - 1);
  return start == kNoStart ? Block{} : if_contains(start, p);
}

size_t usable_size(void* p) {
  const Block block = block_start(p, "malloc_usable_size");
  return block ? offered_size(block) : 0;
}

size_t offered_size(const Block& block) {
  // The pad is not the program's to use: its end would again be just past the block's.
  return block.size - fast::table.pad;
}

size_t requested_size(const Block& block) {
  return ledger::requested(block);
}

size_t committed_bytes() {
  return space::committed_bytes();
}

Usage usage() {
  Usage sum{committed_bytes(), 0, 0};
  for_each_block([&](const Block& block) {
    sum.used += block.size;
    ++sum.blocks;
    return true;
  });
  return sum;
}

}  // namespace heaprake::heap
