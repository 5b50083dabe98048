// A snapshot on its way out (heaprake/snapshot.h): sections, each written through a buffer of fixed
// size, so that a heap of any size can be told without memory in proportion to it.
//
// open(), header(), records in any order, close(). One thread. When the output fails, or there is
// none, everything further is dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "heaprake/snapshot.h"
#include "platform/platform.h"

namespace heaprake::collector {

class Section {
 public:
  // Every record begins with begin(most), `most` being at least as long as it gets; that much fits.
  static constexpr size_t kMostRecord = HEAPRAKE_SNAPSHOT_MAX_CHUNK;
  static constexpr size_t kMostNumber = 10;  // bytes of a varint

  void begin(size_t most) {
    if (HEAPRAKE_SNAPSHOT_MAX_CHUNK - used_ < most) flush();
  }
  void number(uint64_t n) {
    for (; n >= 0x80; n >>= 7) payload_[used_++] = static_cast<uint8_t>(n | 0x80);
    payload_[used_++] = static_cast<uint8_t>(n);
  }
  void signed_number(int64_t n) {
    number(static_cast<uint64_t>(n) << 1 ^ static_cast<uint64_t>(n >> 63));
  }
  void bytes(const void* data, size_t length) {
    memcpy(payload_ + used_, data, length);
    used_ += length;
  }
  void text(const char* data, size_t length) {
    number(length);
    bytes(data, length);
  }
  // Sends what is there as a chunk.
  void flush();

 private:
  friend class SnapshotStream;
  int* fd_ = nullptr;
  uint32_t kind_ = 0;
  uint8_t* payload_ = nullptr;  // behind room for the chunk's head
  size_t used_ = 0;
};

class SnapshotStream {
 public:
  SnapshotStream() = default;
  ~SnapshotStream();
  SnapshotStream(const SnapshotStream&) = delete;
  SnapshotStream& operator=(const SnapshotStream&) = delete;

  // fd -1: everything is dropped. false: out of memory.
  bool open(int fd);
  void header(const heaprake_snapshot_header& header);
  // The section of that kind, good until another kind is asked for. Strings have a place of their
  // own, since records of other sections call for new ones.
  Section& section(uint32_t kind);
  Section& strings() { return strings_; }
  // The last chunk. false: not all of it has reached the output.
  bool close(const heaprake_snapshot_end& end);
  bool failed() const { return fd_ < 0; }

 private:
  int fd_ = -1;  // -1 once it has failed
  char* memory_ = nullptr;
  Section current_, strings_;
};

// The numbers of strings (HEAPRAKE_SNAPSHOT_STRINGS): each is written once, when first asked for.
// They are known by their addresses, so that the same text may come twice.
class StringNumbers {
 public:
  explicit StringNumbers(SnapshotStream& stream) : stream_(stream) {}
  ~StringNumbers();
  StringNumbers(const StringNumbers&) = delete;
  StringNumbers& operator=(const StringNumbers&) = delete;
  // 0 for "", and for whatever is beyond the most that are kept.
  uint32_t of(const char* text);

 private:
  struct Slot {
    const char* text;
    uint32_t number;
  };
  static constexpr size_t kSlots = 1 << 16;
  SnapshotStream& stream_;
  Slot* slots_ = nullptr;  // mapped at first use; open addressing
  uint32_t count_ = 0;
};

}  // namespace heaprake::collector
