#include "collector/weak.h"

#include "platform/platform.h"

namespace heaprake::collector {

gc_weak* WeakPool::take() {
  if (gc_weak* weak = free_) {
    free_ = weak->next;
    return weak;
  }
  if (chunk_count_ == 0 || fresh_ == kFirstChunk << (chunk_count_ - 1)) {
    if (chunk_count_ == kChunks) return nullptr;
    void* chunk = platform::map((kFirstChunk << chunk_count_) * sizeof(gc_weak));
    if (!chunk) return nullptr;
    chunks_[chunk_count_].store(static_cast<gc_weak*>(chunk), std::memory_order_release);
    chunk_count_++;
    fresh_ = 0;
  }
  return chunks_[chunk_count_ - 1].load(std::memory_order_relaxed) + fresh_++;
}

void WeakPool::give_back(gc_weak* weak) {
  weak->target.store(0, std::memory_order_relaxed);
  weak->block = 0;
  weak->count = 0;
  weak->next = free_;
  free_ = weak;
}

bool WeakPool::holds(const gc_weak* weak) const {
  const auto p = reinterpret_cast<uintptr_t>(weak);
  for (size_t i = 0; i < kChunks; i++) {
    const auto lo = reinterpret_cast<uintptr_t>(chunks_[i].load(std::memory_order_acquire));
    if (!lo) return false;
    const uintptr_t offset = p - lo;
    if (offset >= (kFirstChunk << i) * sizeof(gc_weak)) continue;
    return offset % sizeof(gc_weak) == 0 && __atomic_load_n(&weak->count, __ATOMIC_RELAXED) != 0;
  }
  return false;
}

}  // namespace heaprake::collector
