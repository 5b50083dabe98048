#include "collector/carried.h"

#include <algorithm>
#include <atomic>

#include "allocator/heap.h"
#include "collector/collector.h"

namespace heaprake::collector {

constinit Carried carried;

extern "C" {
__attribute__((used)) bool heaprake_words_carried = false;
__attribute__((used)) constinit std::atomic<uint64_t> heaprake_early_receipts{0};
}

bool Carried::prepare() {
  if (entries_) return true;
  void* memory = platform::map(kBytes);
  if (!memory) return false;
  entries_ = static_cast<Entry*>(memory);
  buckets_ = reinterpret_cast<uint32_t*>(entries_ + kMost + 1);
  std::atomic_ref(heaprake_words_carried).store(true, std::memory_order_relaxed);
  return true;
}

uint32_t* Carried::bucket_of(uintptr_t word, uint64_t channel) {
  return buckets_ + (((word >> 3) ^ channel) * 0x9e3779b97f4a7c15 >> 48) % kBuckets;
}

uint32_t Carried::find(uintptr_t word, uint64_t channel) {
  uint32_t index = *bucket_of(word, channel);
  while (index && (entries_[index].word != word || entries_[index].channel != channel)) {
    index = entries_[index].next;
  }
  return index;
}

// An entry in no list.
uint32_t Carried::fresh() {
  if (!free_ && made_ == kMost) drop(oldest_);
  if (!free_) return ++made_;
  const uint32_t index = free_;
  free_ = entries_[index].next;
  return index;
}

void Carried::link(uint32_t index) {
  Entry& entry = entries_[index];
  uint32_t* bucket = bucket_of(entry.word, entry.channel);
  entry.next = *bucket;
  *bucket = index;
  entry.older = newest_;
  entry.newer = 0;
  (newest_ ? entries_[newest_].newer : oldest_) = index;
  newest_ = index;
  ++used_;
}

void Carried::drop(uint32_t index) {
  Entry& entry = entries_[index];
  uint32_t* at = bucket_of(entry.word, entry.channel);
  while (*at != index) at = &entries_[*at].next;
  *at = entry.next;
  (entry.older ? entries_[entry.older].newer : oldest_) = entry.newer;
  (entry.newer ? entries_[entry.newer].older : newest_) = entry.older;
  entry.count = 0;
  entry.next = free_;
  free_ = index;
  --used_;
}

bool Carried::came_early(uintptr_t word, uint64_t channel, uint64_t early_before) {
  const uint64_t last = heaprake_early_receipts.load(std::memory_order_relaxed);
  const uint64_t first = std::max(early_before, last - std::min<uint64_t>(last, kReceipts)) + 1;
  for (uint64_t number = first; number <= last; ++number) {
    Receipt& receipt = receipts_[number % kReceipts];
    if (receipt.word != word || receipt.channel != channel) continue;
    receipt.word = 0;
    return true;
  }
  return false;
}

void Carried::add(uintptr_t word, uint64_t channel, uint64_t early_before) {
  platform::SignalGuard guard(lock_);
  if (!prepare() || came_early(word, channel, early_before)) return;
  add_locked(word, channel, 1);
}

void Carried::add_locked(uintptr_t word, uint64_t channel, uint32_t count) {
  if (const uint32_t index = find(word, channel)) {
    entries_[index].count += count;
    return;
  }
  const uint32_t index = fresh();
  entries_[index] = Entry{word, channel, count, 0, 0, 0};
  link(index);
}

void Carried::copy(uint64_t from, uint64_t to, uint64_t early_before) {
  platform::SignalGuard guard(lock_);
  if (!entries_ || from == to) return;
  // What is added has another channel, wherever it finds its place.
  const uint32_t made = made_;
  for (uint32_t index = 1; index <= made; ++index) {
    const Entry entry = entries_[index];
    if (!entry.count || entry.channel != from) continue;
    uint32_t left = entry.count;
    while (left && came_early(entry.word, to, early_before)) --left;
    if (left) add_locked(entry.word, to, left);
  }
}

void Carried::take(uintptr_t word, uint64_t channel, bool note_early) {
  platform::SignalGuard guard(lock_);
  if (!entries_) return;
  if (const uint32_t index = find(word, channel)) {
    if (--entries_[index].count == 0) drop(index);
  } else if (note_early) {
    const uint64_t number = heaprake_early_receipts.load(std::memory_order_relaxed) + 1;
    receipts_[number % kReceipts] = Receipt{word, channel};
    heaprake_early_receipts.store(number, std::memory_order_release);
  }
}

void Carried::remove(uintptr_t word, uint64_t channel) {
  take(word, channel, true);
}
void Carried::take_back(uintptr_t word, uint64_t channel) {
  take(word, channel, false);
}

// A word whose block the program has freed itself keeps nothing, and must not keep what will be
// there next.
bool Carried::add_words(MappedArray<uintptr_t>& words) {
  for (uint32_t index = oldest_; index;) {
    const uint32_t next = entries_[index].newer;
    if (!heap::find_block(entries_[index].word)) {
      drop(index);
    } else if (!words.push(entries_[index].word)) {
      return false;
    }
    index = next;
  }
  return true;
}

// A thread that is no more may have held the lock, with the lists half changed: they are made anew.
void Carried::repair_after_fork() {
  const bool whole = lock_.try_lock();
  lock_.reset_after_fork();
  if (whole || !entries_) return;
  std::fill_n(buckets_, kBuckets, 0);
  free_ = oldest_ = newest_ = used_ = 0;
  const uint32_t made = std::min(made_, kMost);
  for (uint32_t index = 1; index <= made; ++index) {
    if (entries_[index].count) {
      link(index);
    } else {
      entries_[index].next = free_;
      free_ = index;
    }
  }
}

}  // namespace heaprake::collector
