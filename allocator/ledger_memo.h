// Call stacks that a thread has seen lately, by where they were seen.
//
// A stack is known again without unwinding if the return address and the stack pointer are the same
// and every word that the last walk went by still holds what it held then. This is exact: the walk
// would read the same words again and come to the same end.
//
// The words of all entries lie one after the other in a ring; new ones overwrite the oldest, whose
// entries are then stale. One thread's alone, and not for its signal handlers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "platform/unwind.h"

namespace heaprake::heap::ledger {

class Memo {
 public:
  // The stack's number; 0: not known.
  uint32_t find(const platform::CallSite& site, bool adaptive) {
    Entry* pair = pair_of(site);
    for (Entry* entry : {pair, pair + 1}) {
      if (entry->pc != site.pc || entry->sp != site.sp) continue;
      if (entry->needs_bp && entry->bp != site.bp) continue;
      if (head_ - entry->position > kRingBytes) continue;
      if (holds(*entry, words_to_check(*entry, adaptive))) return entry->stack;
      entry->agreed = 0;
    }
    return 0;
  }

  // `words` is whole. They are on the thread's own stack.
  void add(const platform::CallSite& site, uint32_t stack, const platform::WalkedWords& words);
  void clear();

 private:
  static constexpr size_t kEntries = 1024;
  static constexpr size_t kRingBytes = 256 * 1024;
  // Words are compared in groups, without a branch for each, which would be guessed wrong as often
  // as stacks of different depths alternate. Adaptive: after so many agreements only the nearest
  // words are looked at, but now and then all.
  static constexpr uint32_t kGroup = 4, kFirst = 16, kNear = kGroup, kPeriod = 64;

  struct Entry {
    uintptr_t pc, sp, bp;
    uint64_t position;  // in the ring, counted from its first use
    uint32_t stack;
    uint32_t agreed;  // how often in a row
    uint16_t count;   // of words, a multiple of kGroup: the last ones may be there twice
    bool needs_bp;
  };

  Entry* pair_of(const platform::CallSite& site) {
    const uint64_t hash = (site.pc + (site.sp << 16)) * 0x9e37'79b9'7f4a'7c15;
    return &entries_[(hash >> 54) & ~uint64_t{1}];
  }
  static_assert(kEntries == 1u << (64 - 54));

  static uint32_t words_to_check(Entry& entry, bool adaptive) {
    if (!adaptive || entry.count <= kNear || ++entry.agreed < kFirst) return entry.count;
    return entry.agreed % kPeriod == 0 ? entry.count : kNear;
  }

  bool holds(const Entry& entry, uint32_t count) const {
    const auto* values = reinterpret_cast<const uintptr_t*>(ring_ + entry.position % kRingBytes);
    const auto* offsets = reinterpret_cast<const uint32_t*>(values + entry.count);
    const auto differs = [&](uint32_t i) {
      return *reinterpret_cast<const uintptr_t*>(entry.sp + offsets[i]) ^ values[i];
    };
    for (uint32_t i = 0; i < count; i += kGroup) {
      if ((differs(i) | differs(i + 1) | differs(i + 2) | differs(i + 3)) != 0) return false;
    }
    return true;
  }

  uint64_t head_;  // of the ring
  Entry entries_[kEntries];
  alignas(64) char ring_[kRingBytes];
};

}  // namespace heaprake::heap::ledger
