#include "allocator/retained.h"

#include <algorithm>
#include <atomic>

#include "allocator/space.h"
#include "platform/coarse_clock.h"

namespace heaprake::heap::retained {
namespace {

using platform::Range;

constexpr size_t kMostWhileBusy = 256u << 20;  // or a half of the heap
constexpr size_t kMostWhileIdle = 32u << 20;
constexpr uint64_t kIdlePeriod = 1'000'000'000;
// Smaller pieces are not worth an entry.
constexpr size_t kSmallest = 1u << 20;
constexpr size_t kMostPieces = 64;

platform::Mutex lock;
// Everything below is guarded by it; `bytes` may be read without.
Range pieces[kMostPieces];  // oldest first, disjoint
size_t count;
size_t old;  // pieces[0 ... old) were there at the last discard_unused
std::atomic<size_t> bytes;

void note_bytes(size_t more, size_t less) {
  bytes.store(bytes.load(std::memory_order_relaxed) + more - less, std::memory_order_relaxed);
}

void remove(size_t at) {
  note_bytes(0, pieces[at].size());
  std::move(pieces + at + 1, pieces + count, pieces + at);
  --count;
  if (at < old) --old;
}

void discard_oldest() {
  space::discard(pieces[0].lo, pieces[0].size());
  remove(0);
}

void discard_down_to(size_t most) {
  while (bytes.load(std::memory_order_relaxed) > most) discard_oldest();
}

}  // namespace

void give_up(Range range) {
  if (range.size() < kSmallest) return space::discard(range.lo, range.size());
  platform::SignalGuard guard(lock);
  if (count == kMostPieces) discard_oldest();
  pieces[count++] = range;
  note_bytes(range.size(), 0);
  discard_down_to(std::max(kMostWhileBusy, space::committed_bytes() / 2));
  if (bytes.load(std::memory_order_relaxed) > kMostWhileIdle) platform::want_idle(true);
}

void take_back(Range range) {
  if (bytes.load(std::memory_order_relaxed) == 0) return;
  platform::SignalGuard guard(lock);
  for (size_t at = 0; at < count;) {
    const Range piece = pieces[at];
    if (piece.hi <= range.lo || piece.lo >= range.hi) {
      ++at;
      continue;
    }
    // What is left above stays; of two parts the lower one is forgotten, and so stays resident.
    const Range above{std::max(piece.lo, range.hi), piece.hi};
    const Range below{piece.lo, std::min(piece.hi, range.lo)};
    const Range left = above.lo < above.hi ? above : below;
    if (left.lo >= left.hi) {
      remove(at);
      continue;
    }
    note_bytes(left.size(), piece.size());
    pieces[at++] = left;
  }
}

// Every call that waits comes here until it is time: that must cost no more than a look at a clock.
void on_idle() {
  static std::atomic<uint64_t> next{0};
  const uint64_t now = platform::coarse_ns();
  if (now < next.load(std::memory_order_relaxed)) return;
  platform::SignalGuard guard(lock);
  if (bytes.load(std::memory_order_relaxed) > kMostWhileIdle) {
    next.store(now + kIdlePeriod, std::memory_order_relaxed);
    discard_down_to(kMostWhileIdle);
  }
  platform::want_idle(false);
}

void discard_unused() {
  if (bytes.load(std::memory_order_relaxed) == 0) return;
  platform::SignalGuard guard(lock);
  while (old != 0) discard_oldest();
  old = count;
}

void discard_all() {
  if (bytes.load(std::memory_order_relaxed) == 0) return;
  platform::SignalGuard guard(lock);
  discard_down_to(0);
}

// A thread that is no more may have held the lock, with a range half written: nothing that the list
// says may be believed then.
void reset_after_fork() {
  if (!lock.try_lock()) {
    count = old = 0;
    bytes.store(0, std::memory_order_relaxed);
  }
  lock.reset_after_fork();
}

}  // namespace heaprake::heap::retained
