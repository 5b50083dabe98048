#include "allocator/record.h"

#include "allocator/configuration.h"
#include "allocator/ledger_record.h"

namespace heaprake::heap {
namespace {

inline void record_large(uintptr_t p, size_t bytes) {
  *large_bytes_of(p) = bytes;
  own_slices(p, bytes);
  publish(p, kLarge);
}

}  // namespace

size_t recorded_length(size_t size) {
  size_t padded = size + fast::table.pad;
  if (size > PTRDIFF_MAX - 2 * kGranule) return 0;
  return padded ? (padded + kGranule - 1) & ~(kGranule - 1) : kGranule;
}

void own_slices(uintptr_t p, size_t bytes) {
  size_t first = (p - geometry.base) / kSliceSize + 1;
  size_t last = (p + bytes - 1 - geometry.base) / kSliceSize;
  for (size_t slice = first; slice <= last; ++slice) geometry.slice_owner[slice] = p;
}

void record(uintptr_t p, size_t bytes, size_t asked) {
  if (fast::table.ledger) ledger::enter(p, bytes, asked);
  if (bytes > kMaxSmall) return record_large(p, bytes);
  publish(p, static_cast<uint8_t>(bytes / kGranule));
}

void record_wide(uintptr_t p, size_t bytes, size_t asked) {
  if (fast::table.ledger) ledger::enter(p, bytes, asked);
  record_large(p, bytes);
}

void record_titled(uintptr_t p, size_t bytes, size_t asked, bool leaf, void* origin) {
  if (fast::table.ledger) ledger::enter(p, bytes, asked);
  *title_of(p) = {bytes | (leaf ? Title::kLeaf : 0), origin};
  if (bytes > kMaxSmall) own_slices(p, bytes);
  publish(p, kTitled);
}

}  // namespace heaprake::heap
