// One bit for every granule of the heap's range, on the side: while marking, "what a word to this
// place leads to has been reached"; afterwards, in place, "this block is garbage". Where no block
// starts a bit means nothing once turn_into_garbage() has run. All bits can be read at any time; to
// be written, memory is committed in chunks as the heap grows, and stays.
//
// Order of use, by the collecting thread while the world is stopped:
//   [reserve_tables()], prepare() -> test_and_set ... (markers, in parallel) -> turn_into_garbage()
//   -> for_each_set()
// for_each_set may also run after the world has resumed: nothing but the collector writes here, and
// blocks born since then are not in it. Until turn_into_garbage has run a set bit may mean a block
// that is alive: whoever frees asks holds_garbage() first.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "allocator/heap.h"

namespace heaprake::collector {

class MarkBits {
 public:
  static constexpr size_t kWordsPerSlice = heap::kSliceSize / heap::kGranule / 64;
  static_assert(kWordsPerSlice == 64);

  // Address space for the bits of the whole range: early, before the program limits it. false:
  // there is none; prepare() will try again.
  bool reserve_tables();

  // Room for every slice that may hold blocks, all bits clear. Spends about `huge_ns` at most on
  // gathering pages of the heap's tables into huge ones. false: out of memory.
  bool prepare(uint64_t huge_ns);
  // The same, but bits that are set stay so.
  bool cover();

  // Whether the granule lies in a slice that had blocks when prepare() looked. Only such granules'
  // bits may be set; those of the others can be read, and are clear.
  bool covers(size_t granule) const {
    size_t slice = granule / (heap::kSliceSize / heap::kGranule);
    return slice < prepared_slices_ && has_bits_[slice];
  }
  // For loops: a copy in a register, where the compiler cannot know that words_ does not change.
  class Reader {
   public:
    explicit Reader(const MarkBits& bits) : words_(bits.words_) {}
    void prefetch(size_t granule) const { __builtin_prefetch(&words_[granule >> 6], 0, 2); }
    bool test(size_t granule) const { return words_[granule >> 6] >> (granule & 63) & 1; }
    // Granule g's bit is bit g % 64 of words()[g / 64].
    const uint64_t* words() const { return words_; }

   private:
    const uint64_t* const words_;
  };
  bool test(size_t granule) const { return Reader(*this).test(granule); }
  // Takes the line from other markers ahead of test_and_set. By hand: the builtin emits it only
  // where the processor is known at compile time to have it.
  void prefetch_to_set(size_t granule) const {
    asm volatile("prefetchw %0" : : "m"(words_[granule >> 6]));
  }

  // Sets the bit; true if it was clear. kParallel: other markers write the same word.
  template <bool kParallel>
  bool test_and_set(size_t granule) {
    uint64_t& word = words_[granule >> 6];
    uint64_t bit = uint64_t{1} << (granule & 63);
    if (word & bit) return false;
    if constexpr (kParallel) {
      return !(std::atomic_ref(word).fetch_or(bit, std::memory_order_relaxed) & bit);
    } else {
      word |= bit;
      return true;
    }
  }

  // garbage = recorded and not marked, slice by slice. Only after a mark that was complete.
  void turn_into_garbage();
  bool holds_garbage() const { return holds_garbage_; }

  // Calls visit(granule) for each set bit, in address order. The visitor may clear the bit.
  template <class Visit>
  void for_each_set(Visit visit) {
    for (size_t slice = next_slice(0); slice < prepared_slices_; slice = next_slice(slice + 1)) {
      for_each_set_in_slice(slice, visit);
    }
  }
  // Calls visit(slice, its kWordsPerSlice words) for each slice that had blocks. The visitor may
  // clear bits.
  template <class Visit>
  void for_each_slice(Visit visit) {
    for (size_t slice = next_slice(0); slice < prepared_slices_; slice = next_slice(slice + 1)) {
      if (has_bits_[slice]) visit(slice, &words_[slice * kWordsPerSlice]);
    }
  }
  // The same for one slice.
  template <class Visit>
  void for_each_set_in_slice(size_t slice, Visit visit) {
    if (slice >= prepared_slices_ || !has_bits_[slice]) return;
    uint64_t* word = &words_[slice * kWordsPerSlice];
    for (size_t i = 0; i < kWordsPerSlice; i++) {
      for (uint64_t bits = word[i]; bits; bits &= bits - 1) {
        visit((slice * kWordsPerSlice + i) * 64 + std::countr_zero(bits));
      }
    }
  }
  void clear(size_t granule) { words_[granule >> 6] &= ~(uint64_t{1} << (granule & 63)); }

 private:
  // The first slice at or after `slice` that has bits; at least prepared_slices_ if there is none.
  // Passes over chunks without memory: wide blocks lie at the top of the range, the others at its
  // bottom.
  size_t next_slice(size_t slice) const;
  bool copy_used_slices(size_t limit);
  bool commit_chunk_of(size_t slice);
  void use_huge_pages(uint64_t most_ns);
  void make_huge(size_t chunk);

  uint64_t* words_ = nullptr;  // for the whole range: readable, and writable by chunk
  enum Chunk : uint8_t { kNothing, kCommitted, kHuge };
  uint8_t* chunks_ = nullptr;    // a Chunk for each 1024 slices (64 MiB of heap)
  uint8_t* has_bits_ = nullptr;  // one byte per slice: slice_used as the last prepare() saw it;
                                 // slices used since then have no bits
  size_t prepared_slices_ = 0;
  bool holds_garbage_ = false;
};

}  // namespace heaprake::collector
