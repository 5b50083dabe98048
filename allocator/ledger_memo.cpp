#include "allocator/ledger_memo.h"

#include <cstring>

namespace heaprake::heap::ledger {

void Memo::add(const platform::CallSite& site, uint32_t stack, const platform::WalkedWords& words) {
  const uint32_t count = (words.count + kGroup - 1) / kGroup * kGroup;
  const size_t values = count * sizeof words.value[0];
  const size_t offsets = count * sizeof words.offset[0];
  const size_t bytes = (values + offsets + 7) & ~size_t{7};
  // In one piece.
  if (head_ % kRingBytes + bytes > kRingBytes) head_ += kRingBytes - head_ % kRingBytes;
  char* place = ring_ + head_ % kRingBytes;
  auto* value = reinterpret_cast<uintptr_t*>(place);
  auto* offset = reinterpret_cast<uint32_t*>(place + values);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t from = i < words.count ? i : words.count - 1;
    value[i] = words.value[from];
    offset[i] = words.offset[from];
  }
  Entry* pair = pair_of(site);
  // The same place with another stack above it, or the older of the two.
  Entry* target = pair[0].position <= pair[1].position ? pair : pair + 1;
  for (Entry* entry : {pair, pair + 1}) {
    if (entry->pc == site.pc && entry->sp == site.sp) target = entry;
  }
  *target = {site.pc,       site.sp, site.bp, head_, stack, 0, static_cast<uint16_t>(count),
             words.needs_bp};
  head_ += bytes;
}

void Memo::clear() {
  std::memset(entries_, 0, sizeof entries_);
}

}  // namespace heaprake::heap::ledger
