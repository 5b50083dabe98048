// What the marker's workers share: the roots still to be scanned and surplus grey blocks.
#pragma once

#include <atomic>

#include "collector/grey_stack.h"
#include "collector/kept_blocks.h"
#include "collector/roots.h"

namespace heaprake::collector {

// A lock for a few instructions among threads that all run: the world is stopped, so no holder is
// ever suspended by us.
class SpinLock {
 public:
  void lock() {
    while (held_.exchange(true, std::memory_order_acquire)) {
      while (held_.load(std::memory_order_relaxed)) __builtin_ia32_pause();
    }
  }
  void unlock() { held_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> held_{false};
};

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): a line of its own is what it is for
class MarkWork {
 public:
  static constexpr size_t kPieceBytes = 64 * 1024;

  explicit MarkWork(const RootSet& roots) : roots_(roots) {}
  ~MarkWork() { surplus_.release(); }

  // The next piece of a root, at most kPieceBytes long. false: none is left.
  bool next_root(Root* piece) {
    lock_.lock();
    const MappedArray<Root>& ranges = roots_.ranges();
    bool found = next_range_ < ranges.size();
    if (found) {
      *piece = ranges[next_range_];
      piece->range.lo += offset_;
      if (piece->range.size() > kPieceBytes) {
        piece->range.hi = piece->range.lo + kPieceBytes;
        // A 4-aligned word may straddle two pieces: the next one begins a word earlier.
        offset_ += kPieceBytes - sizeof(uintptr_t);
      } else {
        next_range_++;
        offset_ = 0;
      }
    }
    lock_.unlock();
    return found;
  }

  // The next slice with blocks to be kept whatever refers to them. false: none is left.
  bool next_kept(size_t* slice) {
    if (!frozen.any() && !saved.any()) return false;
    lock_.lock();
    *slice = heap::next_used_slice(next_kept_);
    next_kept_ = *slice + 1;
    lock_.unlock();
    return *slice < heap::slice_limit();
  }

  void join() { joined_.fetch_add(1, std::memory_order_relaxed); }
  // Someone waits, and nothing lies here for it.
  bool hungry() const {
    return idle_.load(std::memory_order_relaxed) && !surplus_size_.load(std::memory_order_relaxed);
  }
  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  void fail() { failed_.store(true, std::memory_order_relaxed); }

  // Moves half of `stack` here, the older half, for whoever is idle.
  void give(GreyStack& stack) {
    lock_.lock();
    bool room = stack.move_oldest(std::min(stack.size() / 2, kMostGiven), surplus_);
    surplus_size_.store(surplus_.size(), std::memory_order_release);
    lock_.unlock();
    if (!room) fail();
  }

  // Waits for work. false: every worker waits, so marking is done (or has failed).
  bool take(GreyStack& stack) {
    idle_.fetch_add(1, std::memory_order_acq_rel);
    for (unsigned spins = 1;; spins++) {
      // The others may be waiting for the processor that this one waits on; or there may be nothing
      // to share for long, as along a list.
      if (spins % kSpins == 0) platform::yield(spins / kSpins);
      if (surplus_size_.load(std::memory_order_relaxed)) {
        // Not idle before the work is taken: else the others might see everyone idle meanwhile.
        unsigned idle = idle_.fetch_sub(1, std::memory_order_acq_rel);
        if (try_take(stack, idle)) return true;
        idle_.fetch_add(1, std::memory_order_acq_rel);
      }
      if (failed()) return false;
      if (idle_.load(std::memory_order_acquire) == joined_.load(std::memory_order_relaxed) &&
          !surplus_size_.load(std::memory_order_acquire)) {
        return false;
      }
      __builtin_ia32_pause();
    }
  }

 private:
  static constexpr size_t kMostGiven = 16 * 1024;
  static constexpr unsigned kSpins = 256;

  // A fair share among `idle` workers.
  bool try_take(GreyStack& stack, unsigned idle) {
    lock_.lock();
    size_t count = (surplus_.size() + idle - 1) / idle;
    bool room = surplus_.move_oldest(count, stack);
    surplus_size_.store(surplus_.size(), std::memory_order_release);
    lock_.unlock();
    if (!room) fail();
    return count && room;
  }

  const RootSet& roots_;
  // The next four are guarded by lock_.
  size_t next_kept_ = 0;
  size_t next_range_ = 0;
  size_t offset_ = 0;  // into ranges[next_range_]
  GreyStack surplus_;
  SpinLock lock_;
  // All workers read these all the time, and they seldom change: a line of their own.
  alignas(64) std::atomic<size_t> surplus_size_{0};  // surplus_.size(), readable without the lock
  std::atomic<unsigned> joined_{0};
  std::atomic<unsigned> idle_{0};
  std::atomic<bool> failed_{false};
};

}  // namespace heaprake::collector
