#include "platform/own_ranges.h"

#include <atomic>

namespace heaprake::platform::own_ranges {
namespace {

constexpr size_t kCapacity = 2048;

// Two copies of the set, in address order, neighbours joined. Readers use copy (version & 1); the
// writer builds the next one in the other copy and then moves the version on. A reader that finds
// the version unchanged has therefore read a copy that nobody wrote to, and a process that forks in
// the middle of a write still has the old copy whole.
struct Copy {
  size_t count;
  Range ranges[kCapacity];
};
// Constant-initialised: the first block may exist before any constructor of the library has run.
constinit Copy copies[2] = {};
std::atomic<uint64_t> version{0};

// Held with all signals blocked, so that no thread is ever stopped inside: the collector may map
// memory while the world stands still.
Mutex writer;

bool append(Copy& to, Range range) {
  if (range.lo >= range.hi) return true;
  if (to.count != 0 && to.ranges[to.count - 1].hi == range.lo) {
    to.ranges[to.count - 1].hi = range.hi;
    return true;
  }
  if (to.count == kCapacity) return false;
  to.ranges[to.count++] = range;
  return true;
}

// Writes `from` without `range` to `to`, and with `range` at its place if `insert`.
bool rebuild(const Copy& from, Range range, bool insert, Copy& to) {
  to.count = 0;
  bool inserted = !insert;
  for (size_t i = 0; i < from.count; ++i) {
    const Range old = from.ranges[i];
    const Range below{old.lo, old.hi < range.lo ? old.hi : range.lo};
    const Range above{old.lo > range.hi ? old.lo : range.hi, old.hi};
    if (!append(to, below)) return false;
    if (!inserted && old.hi > range.lo) {
      if (!append(to, range)) return false;
      inserted = true;
    }
    if (!append(to, above)) return false;
  }
  return inserted || append(to, range);
}

bool change(Range range, bool insert) {
  if (range.lo >= range.hi) return true;
  SignalGuard guard(writer);
  const uint64_t now = version.load(std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  if (!rebuild(copies[now & 1], range, insert, copies[(now + 1) & 1])) return false;
  version.store(now + 1, std::memory_order_release);
  return true;
}

Range search(const Copy& copy, uintptr_t lo, uintptr_t hi) {
  size_t first = 0;
  size_t end = copy.count < kCapacity ? copy.count : kCapacity;
  while (first < end) {
    const size_t middle = (first + end) / 2;
    if (copy.ranges[middle].hi <= lo) {
      first = middle + 1;
    } else {
      end = middle;
    }
  }
  if (first >= copy.count || copy.ranges[first].lo >= hi) return {};
  Range found = copy.ranges[first];
  if (found.lo < lo) found.lo = lo;
  if (found.hi > hi) found.hi = hi;
  return found;
}

}  // namespace

bool add(Range range) {
  return change(range, true);
}

// Taking a range away may split one in two; with a full table the set keeps it, which only means
// that the program's later mappings there are mistaken for ours. 2,048 disjoint ranges do not
// occur: the heap is one reservation.
void remove(Range range) {
  change(range, false);
}

Range first_within(uintptr_t lo, uintptr_t hi) {
  for (;;) {
    const uint64_t before = version.load(std::memory_order_acquire);
    const Range found = search(copies[before & 1], lo, hi);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (version.load(std::memory_order_relaxed) == before) return found;
  }
}

void reset_after_fork() {
  writer.reset_after_fork();
}

}  // namespace heaprake::platform::own_ranges
