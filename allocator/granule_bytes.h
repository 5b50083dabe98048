// One byte for every granule of the heap's range, kept apart from the block map: for what is to be
// remembered of few blocks. Costs address space from the first use on, and memory where it is used.
//
// ready() and the writes: one thread at a time for a granule. Reads: any thread, any time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heaprake::heap {

class GranuleBytes {
 public:
  // Room for the granule's byte, which begins as 0. false: out of memory.
  bool make_room(size_t granule);
  // 0 where there is no room.
  uint8_t get(size_t granule) const;
  // Where there is room.
  void set(size_t granule, uint8_t byte) { bytes_[granule] = byte; }
  uint8_t exchange(size_t granule, uint8_t byte);

 private:
  static constexpr size_t kChunk = 4 << 20;  // granules: 64 MiB of heap

  uint8_t* bytes_ = nullptr;        // reserved for the whole range
  uint8_t* chunk_ready_ = nullptr;  // by chunk; written before bytes_
};

}  // namespace heaprake::heap
