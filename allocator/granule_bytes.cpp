#include "allocator/granule_bytes.h"

#include <atomic>

#include "allocator/heap.h"

namespace heaprake::heap {

bool GranuleBytes::make_room(size_t granule) {
  if (!bytes_) {
    size_t granules = geometry.size / kGranule;
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
  size_t left = geometry.size / kGranule - chunk * kChunk;
  if (!platform::commit(bytes_ + chunk * kChunk, left < kChunk ? left : kChunk)) return false;
  std::atomic_ref(chunk_ready_[chunk]).store(1, std::memory_order_release);
  return true;
}

uint8_t GranuleBytes::get(size_t granule) const {
  if (!bytes_ || !chunk_ready_[granule / kChunk]) return 0;
  return bytes_[granule];
}

uint8_t GranuleBytes::exchange(size_t granule, uint8_t byte) {
  return std::atomic_ref(bytes_[granule]).exchange(byte, std::memory_order_relaxed);
}

}  // namespace heaprake::heap
