#include "allocator/ledger_memo.h"

#include <cstring>

namespace heaprake::heap::ledger {

void Memo::add(const platform::CallSite& site, uint32_t stack, const platform::WalkedWords& words) {
  const size_t values = words.count * sizeof words.value[0];
  const size_t offsets = words.count * sizeof words.offset[0];
  const size_t bytes = (values + offsets + 7) & ~size_t{7};
  // In one piece.
  if (head_ % kRingBytes + bytes > kRingBytes) head_ += kRingBytes - head_ % kRingBytes;
  char* place = ring_ + head_ % kRingBytes;
  std::memcpy(place, words.value, values);
  std::memcpy(place + values, words.offset, offsets);
  Entry* pair = pair_of(site);
  // The same place with another stack above it, or the older of the two.
  Entry* target = pair[0].position <= pair[1].position ? pair : pair + 1;
  for (Entry* entry : {pair, pair + 1}) {
    if (entry->pc == site.pc && entry->sp == site.sp) target = entry;
  }
  *target = {site.pc,       site.sp, site.bp, head_, stack, 0, static_cast<uint16_t>(words.count),
             words.needs_bp};
  head_ += bytes;
}

void Memo::clear() {
  std::memset(entries_, 0, sizeof entries_);
}

}  // namespace heaprake::heap::ledger
