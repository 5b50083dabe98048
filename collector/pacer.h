// When an automatic collection may start: after `threshold` bytes of allocation since the last one,
// and once these are `growth` percent of what survived it. So a program whose heap only grows is
// collected a logarithmic number of times, and one that leaks stays within a factor of its live
// heap.
//
// A program that frees what it allocates allocates without end, and has nothing to be reclaimed. So
// the heap, too, must have grown by that much: what lies in committed memory beyond the blocks that
// the last collection left is the most that another one could find. This bounds memory by what the
// last collection left and that much more; but garbage may hide behind blocks freed since, so that
// after kPatience times the allocation the heap is not asked. With growth 0, allocation alone
// decides.
//
// A collection that finds little garbage in what it has waited for was for nothing, and the
// next one is likely to be too (a compiler, an index being built): it waits for kAfterNothing
// thresholds at least. So such a program is seldom collected while its heap is small, and one that
// leaks stays within a factor of its live heap and a constant.
#pragma once

#include <atomic>
#include <cstddef>

namespace heaprake::collector {

class Pacer {
 public:
  // Any thread, any time. threshold 0: never.
  void set_threshold(size_t bytes, unsigned growth);
  size_t threshold() const { return threshold_.load(std::memory_order_relaxed); }
  unsigned growth() const { return growth_.load(std::memory_order_relaxed); }

  void set_enabled(bool on) { enabled_.store(on, std::memory_order_relaxed); }
  bool enabled() const { return enabled_.load(std::memory_order_relaxed); }
  // Nothing starts by itself before this.
  void start() { started_.store(true, std::memory_order_release); }

  // A thread has allocated so much more, and the heap has so much memory. true: a collection is
  // due.
  bool note_allocated(size_t bytes, size_t committed) {
    size_t now = allocated_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    return now >= trigger_.load(std::memory_order_relaxed) && due(now, committed);
  }
  // Started, enabled, and with a threshold.
  bool automatic() const {
    return started_.load(std::memory_order_acquire) && enabled() && threshold() != 0;
  }
  size_t allocated() const { return allocated_.load(std::memory_order_relaxed); }

  // The world has just resumed after a mark that found live_bytes alive.
  void note_collected(size_t live_bytes);
  // The same collection, which had been due, found so much garbage.
  void note_reclaimed(size_t bytes);
  // A collection was given up: try again after as much allocation as had been waited for, and twice
  // as much each further time in a row: trying may have taken long.
  void note_given_up();

 private:
  static constexpr size_t kPatience = 64;

  bool due(size_t allocated, size_t committed) const;
  bool has_grown(size_t allocated, size_t committed) const;
  // By how much the heap is to grow before the next collection.
  size_t wanted() const;
  void recompute();

  static constexpr unsigned kMostDoublings = 10;
  static constexpr size_t kAfterNothing = 4;  // thresholds
  static constexpr size_t kFruitful = 8;      // one part in so many of what was waited for

  std::atomic<unsigned> given_up_{0};  // in a row
  std::atomic<size_t> allocated_{0};   // since the last collection
  std::atomic<size_t> trigger_{SIZE_MAX};
  std::atomic<size_t> threshold_{0};
  std::atomic<size_t> live_{0};         // bytes that the last collection left
  std::atomic<size_t> waited_for_{0};   // wanted() before the last collection
  std::atomic<bool> fruitless_{false};  // the last collection that was due
  std::atomic<unsigned> growth_{100};
  std::atomic<bool> enabled_{true};
  std::atomic<bool> started_{false};
};

}  // namespace heaprake::collector
