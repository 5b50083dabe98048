#include "collector/condemned.h"

#include <atomic>

namespace heaprake::collector {

namespace {

// SIZE_MAX if p cannot be the start of a block.
size_t granule_of(const void* p) {
  uintptr_t offset = reinterpret_cast<uintptr_t>(p) - heap::geometry.base;
  if (offset >= heap::geometry.size || offset % heap::kGranule) return SIZE_MAX;
  return offset / heap::kGranule;
}

}  // namespace

bool CondemnedSet::ready(size_t granule) {
  if (!bytes_) {
    size_t granules = heap::geometry.size / heap::kGranule;
    void* chunks = platform::map(granules / kChunk + 1);
    void* bytes = chunks ? platform::reserve(granules, platform::kPageSize, 0) : nullptr;
    if (!bytes) {
      if (chunks) platform::release(chunks, granules / kChunk + 1);
      return false;
    }
    chunk_ready_ = static_cast<uint8_t*>(chunks);
    std::atomic_ref(bytes_).store(static_cast<uint8_t*>(bytes), std::memory_order_release);
  }
  size_t chunk = granule / kChunk;
  if (chunk_ready_[chunk]) return true;
  if (!platform::commit(bytes_ + chunk * kChunk, kChunk)) return false;
  std::atomic_ref(chunk_ready_[chunk]).store(1, std::memory_order_release);
  return true;
}

uint8_t CondemnedSet::byte_at(const void* p) const {
  size_t granule = granule_of(p);
  if (granule == SIZE_MAX || !bytes_ || !chunk_ready_[granule / kChunk]) return 0;
  return bytes_[granule];
}

bool CondemnedSet::add(const heap::Block& block, uint8_t byte) {
  size_t granule = (block.address - heap::geometry.base) / heap::kGranule;
  if (!ready(granule)) return false;
  bytes_[granule] = byte;
  return true;
}

uint8_t CondemnedSet::take(const void* p) {
  if (!contains(p)) return 0;
  return std::atomic_ref(bytes_[granule_of(p)]).exchange(0, std::memory_order_relaxed);
}

}  // namespace heaprake::collector
