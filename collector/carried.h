// Words under way: addresses that the program has put into a message and nobody has taken out yet.
// Each is a root.
//
//   send       a word found in the bytes that the kernel has taken        add
//   receive    a word found in the bytes that the kernel has given        remove
//
// A word is added when the sending call has returned and before the program goes on: until then the
// sender's buffer holds it. So its receiver may come first. What it takes out is then noted as
// early, with a number; a sender whose call began before that number was given finds the note and
// adds nothing. A note therefore means nothing to any later call, and needs no removal.
#pragma once

#include <cstddef>
#include <cstdint>

#include "collector/mapped_array.h"
#include "platform/platform.h"

namespace heaprake::collector {

// Channels: kinds of them, of which each is one, and pipes, whose channel is kPipes + the inode.
inline constexpr uint64_t kSignals = 1, kSockets = 2, kQueues = 3, kSystemV = 4, kPassedEpolls = 5,
                          kPipes = 16;

class Carried {
 public:
  static constexpr uint32_t kMost = 1 << 16;  // different words; the oldest make way for new ones

  // All take the lock of this object, briefly, with signals blocked; any thread, any time.
  // `channel`: what came through one is not taken for what went into another.
  void add(uintptr_t word, uint64_t channel, uint64_t early_before);
  void remove(uintptr_t word, uint64_t channel);
  // Each word of one channel is now in the other one as well, as often.
  void copy(uint64_t from, uint64_t to, uint64_t early_before);
  // For a call that failed: takes a word back, if it is there.
  void take_back(uintptr_t word, uint64_t channel);

  // While the world is stopped.
  bool add_words(MappedArray<uintptr_t>& words);
  size_t size() const { return used_; }

  // In the child, which has the same messages to receive as its parent.
  void repair_after_fork();

 private:
  struct Entry {
    uintptr_t word;
    uint64_t channel;
    uint32_t count;         // 0: free
    uint32_t next;          // in its bucket's chain, or in the list of free entries
    uint32_t older, newer;  // in order of arrival; 0: none, as for `next`
  };
  static_assert(sizeof(Entry) == 32);
  struct Receipt {
    uintptr_t word;  // 0: its sender has come
    uint64_t channel;
  };
  static constexpr size_t kReceipts = 1024;
  static constexpr size_t kBuckets = kMost;
  static constexpr size_t kBytes = (kMost + 1) * sizeof(Entry) + kBuckets * sizeof(uint32_t);

  bool prepare();
  uint32_t* bucket_of(uintptr_t word, uint64_t channel);
  uint32_t find(uintptr_t word, uint64_t channel);
  uint32_t fresh();
  void link(uint32_t index);
  void add_locked(uintptr_t word, uint64_t channel, uint32_t count);
  void drop(uint32_t index);
  bool came_early(uintptr_t word, uint64_t channel, uint64_t early_before);
  void take(uintptr_t word, uint64_t channel, bool note_early);

  platform::Mutex lock_;
  Entry* entries_ = nullptr;  // [1, kMost]
  uint32_t* buckets_ = nullptr;
  uint32_t made_ = 0;  // entries [1, made_] have been used before
  uint32_t free_ = 0, oldest_ = 0, newest_ = 0;
  uint32_t used_ = 0;
  Receipt receipts_[kReceipts] = {};  // number n, from 1, in n % kReceipts
};

extern Carried carried;

}  // namespace heaprake::collector
