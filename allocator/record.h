// Writing and reading the block map. On allocation the byte comes last, on release first, so that
// whoever sees a byte sees the length that belongs to it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/heap.h"
#include "allocator/notes.h"

namespace heaprake::heap {

inline constexpr size_t kLargeUnit = 2048;
static_assert(kMaxSmall >= kLargeUnit, "two large blocks would share an entry of large_bytes");

// The 16 bytes before a block whose byte is kTitled.
struct Title {
  static constexpr uint64_t kLeaf = 1;
  uint64_t size_and_flags;  // the size is a multiple of 16, so that the low bits are free for flags
  void* origin;             // what mimalloc or the wide area returned
  size_t size() const { return size_and_flags & ~uint64_t{15}; }
  bool leaf() const { return size_and_flags & kLeaf; }
};
static_assert(sizeof(Title) == kGranule);

inline Title* title_of(uintptr_t block) {
  return reinterpret_cast<Title*>(block) - 1;
}

inline uint8_t* byte_of(uintptr_t p) {
  return geometry.map + (p - geometry.base) / kGranule;
}
inline uint64_t* large_bytes_of(uintptr_t p) {
  return geometry.large_bytes + (p - geometry.base) / kLargeUnit;
}

// The compiler may not move stores over this; the processor keeps the order of stores anyway.
inline void publish_plain(uintptr_t p, uint8_t byte) {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  *reinterpret_cast<volatile uint8_t*>(byte_of(p)) = byte;
}
// A block that changes its length where it is stays noted.
inline void publish(uintptr_t p, uint8_t byte) {
  if (*byte_of(p) == kNoted) [[unlikely]]
    return set_noted_byte((p - geometry.base) / kGranule, byte);
  publish_plain(p, byte);
}
// Who frees a block holds its address until the byte is 0, even if another one (a title's origin)
// is all that is needed afterwards: else a collection in between would find the block unreachable,
// and it would be freed twice.
inline void withdraw(uintptr_t p) {
  *reinterpret_cast<volatile uint8_t*>(byte_of(p)) = 0;
  asm volatile("" : : "r"(p) : "memory");
}

// withdraw, for those who may not be the only one to take the block away: of all of them one gets
// its byte, the others 0. A release on the fast path is no such one; for the few instructions
// between its look at the byte and its store it may take what someone else has got.
inline uint8_t take_off(uintptr_t p) {
  const uint8_t byte = std::atomic_ref(*byte_of(p)).exchange(0);
  return byte == kNoted ? noted_byte((p - geometry.base) / kGranule) : byte;
}

// Length to record, and to ask for, for a request of `size`; 0 if that is too much.
size_t recorded_length(size_t size);

// Tells every slice whose first byte the block covers, but the block's own, where the block starts.
void own_slices(uintptr_t p, size_t bytes);
// All lengths are multiples of 16. `wide` blocks get no small byte, whatever their length: release
// must see that mimalloc does not know them.
void record(uintptr_t p, size_t bytes, size_t asked);
void record_wide(uintptr_t p, size_t bytes, size_t asked);
void record_titled(uintptr_t p, size_t bytes, size_t asked, bool leaf, void* origin);

}  // namespace heaprake::heap
