// Addresses that the program has given to epoll_ctl. Nothing is written down when it does, but for
// the descriptor's number: the kernel is asked at each collection. That follows dup, fork, close
// and the end of what was registered by itself.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "collector/mapped_array.h"
#include "platform/platform.h"

namespace heaprake::collector {

class Epolls {
 public:
  // The descriptor is used as an epoll; before the call that registers something. Any thread, any
  // time, signal handlers too; no lock.
  void note(int fd);
  // A new epoll has this number. If it is known, the former one's has been closed, and may live on
  // under another that was never noted.
  void note_created(int fd);
  // A thread has got descriptors of its own: a number no longer says all.
  void note_own_table() { own_tables_.store(true, std::memory_order_relaxed); }
  // Whether there may be any at all.
  bool any() const;
  // While the world is stopped: the data words of one epoll that may be addresses in the heap.
  // false: not all could be read.
  bool for_each_word(int fd, platform::FunctionRef<bool(uintptr_t)> visit);

  // While the world is stopped: adds what is registered and may be an address in the heap. false:
  // not all could be read.
  bool add_words(const platform::World& world, MappedArray<uintptr_t>& words);

  // The child has one thread, and so one table.
  void clear_after_fork() { own_tables_.store(false, std::memory_order_relaxed); }

 private:
  static constexpr size_t kNumbers = 1 << 20;  // descriptors above it are looked for every time
  using Bits = std::atomic<uint64_t>;

  Bits* bits();
  bool known(int fd) const;
  enum class Read { kDone, kVanished, kFailed };
  Read read(int fd, MappedArray<uintptr_t>& words);
  Read read_known(MappedArray<uintptr_t>& words);
  bool search(MappedArray<uintptr_t>& words);
  static bool search_table(int thread, MappedArray<uintptr_t>& words);

  std::atomic<Bits*> bits_{nullptr};    // one a number, kNumbers of them; made once
  std::atomic<size_t> limit_{0};        // no bit at or above it was ever set
  std::atomic<bool> search_{false};     // look at every descriptor at the next collection
  std::atomic<bool> unbounded_{false};  // and at every further one
  std::atomic<bool> own_tables_{false};
};

extern Epolls epolls;

}  // namespace heaprake::collector
