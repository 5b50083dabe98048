#include "allocator/huge_growth.h"

#include <atomic>

#include "allocator/heap.h"
#include "allocator/space.h"

namespace heaprake::heap::huge_growth {
namespace {

using platform::HugePages;

// What huge pages hold beyond what was asked for is at most this part of the heap. mimalloc asks
// for half of one at a time, so that there are none below 32 MiB.
constexpr size_t kSpareShare = 32;
// Where memory is in pieces the kernel may move pages together for milliseconds (or a host find
// memory), on the thread's time: after such a page there are none for so many times as long.
constexpr uint64_t kLong = 2'000'000;  // ns of the processor
constexpr uint64_t kRest = 50;

HugePages from_system = HugePages::kNobody;  // written by allow
std::atomic<size_t> spare_bytes{0};
std::atomic<uint64_t> rests_until{0};

}  // namespace

void allow() {
  from_system = platform::huge_pages();
  if (from_system == HugePages::kWhoAsks)
    platform::refuse_huge(reinterpret_cast<void*>(geometry.base), geometry.size);
}

bool is_worthwhile(size_t spare) {
  if (from_system == HugePages::kNobody || !platform::may_populate_huge()) return false;
  if (spare_bytes.load(std::memory_order_relaxed) + spare > space::committed_bytes() / kSpareShare)
    return false;
  const uint64_t rest = rests_until.load(std::memory_order_relaxed);
  return rest == 0 || platform::monotonic_ns() >= rest;
}

void make(uintptr_t page) {
  spare_bytes.fetch_add(platform::kHugePage, std::memory_order_relaxed);
  // Whoever gets them unasked gets one at the first touch.
  if (from_system != HugePages::kWhoAsks) return;
  const uint64_t took = platform::populate_huge(reinterpret_cast<void*>(page));
  if (took > kLong)
    rests_until.store(platform::monotonic_ns() + took * kRest, std::memory_order_relaxed);
}

void note_asked_for(size_t bytes) {
  spare_bytes.fetch_sub(bytes, std::memory_order_relaxed);
}

}  // namespace heaprake::heap::huge_growth
