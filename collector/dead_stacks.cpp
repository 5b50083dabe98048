#include "collector/dead_stacks.h"

#include <algorithm>

namespace heaprake::collector {

constinit DeadStacks dead_stacks;

namespace {

constexpr size_t kMostProbes = 32;
// tcbhead_t of the x86-64 ABI: the first and the third word are its own address.
bool looks_like_tcb(uintptr_t tcb) {
  const auto* words = reinterpret_cast<const uintptr_t*>(tcb);
  return words[0] == tcb && words[2] == tcb;
}

}  // namespace

void DeadStacks::note_thread(uintptr_t tcb) {
  size_t at = (tcb * 0x9e3779b97f4a7c15) >> 52;
  static_assert(kSlots == size_t{1} << 12);
  for (size_t i = 0; i < kMostProbes; i++, at = (at + 1) % kSlots) {
    uintptr_t there = slots_[at].load(std::memory_order_relaxed);
    if (there == tcb) return;
    if (there == 0 && slots_[at].compare_exchange_strong(there, tcb)) return;
    if (there == tcb) return;
  }
}

bool DeadStacks::prepare() {
  sorted_.clear();
  bool room = true;
  for (const auto& slot : slots_) {
    if (uintptr_t tcb = slot.load(std::memory_order_relaxed)) room = room && sorted_.push(tcb);
  }
  std::sort(sorted_.begin(), sorted_.end());
  return room;
}

platform::Range DeadStacks::live_part(platform::Range mapping) const {
  const uintptr_t* tcb = std::lower_bound(sorted_.begin(), sorted_.end(), mapping.lo);
  if (tcb == sorted_.end() || *tcb > mapping.hi - 3 * sizeof(uintptr_t)) return mapping;
  if (*tcb % sizeof(uintptr_t) != 0 || !looks_like_tcb(*tcb)) return mapping;
  return {*tcb, mapping.hi};
}

}  // namespace heaprake::collector
