#include "collector/mark_bits.h"

#include <immintrin.h>

#include <cstring>

#include "collector/cpu.h"

namespace heaprake::collector {

namespace {

constexpr size_t kSlicesPerChunk = 1024;
constexpr size_t kSliceBytes = MarkBits::kWordsPerSlice * sizeof(uint64_t);
using platform::kHugePage;
constexpr size_t kChunksPerHuge = kHugePage / (kSlicesPerChunk * kSliceBytes);
constexpr size_t kGranulesPerSlice = heap::kSliceSize / heap::kGranule;

size_t total_slices() {
  return heap::geometry.size / heap::kSliceSize;
}

// A bit for each of 64 map bytes that is not zero.
uint64_t starts_sse2(const uint8_t* map) {
  uint64_t empty = 0;
  for (int i = 0; i < 4; i++) {
    __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(map + 16 * i));
    unsigned mask = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128()));
    empty |= static_cast<uint64_t>(mask) << (16 * i);
  }
  return ~empty;
}

void garbage_of_slice_sse2(const uint8_t* map, uint64_t* words) {
  for (size_t i = 0; i < MarkBits::kWordsPerSlice; i++) {
    words[i] = starts_sse2(map + 64 * i) & ~words[i];
  }
}

__attribute__((target("avx512f,avx512bw"))) void garbage_of_slice_avx512(const uint8_t* map,
                                                                         uint64_t* words) {
  for (size_t i = 0; i < MarkBits::kWordsPerSlice; i++) {
    __m512i bytes = _mm512_load_si512(map + 64 * i);
    words[i] = _mm512_test_epi8_mask(bytes, bytes) & ~words[i];
  }
}

}  // namespace

bool MarkBits::commit_chunk_of(size_t slice) {
  size_t chunk = slice / kSlicesPerChunk;
  if (chunks_[chunk]) return true;
  char* lo = reinterpret_cast<char*>(words_) + chunk * kSlicesPerChunk * kSliceBytes;
  if (!platform::commit(lo, kSlicesPerChunk * kSliceBytes)) return false;
  chunks_[chunk] = kCommitted;
  return true;
}

bool MarkBits::reserve_tables() {
  if (words_) return true;
  size_t chunks = (total_slices() / kSlicesPerChunk + kChunksPerHuge) & ~(kChunksPerHuge - 1);
  size_t slices = chunks * kSlicesPerChunk;
  void* ready = platform::map(chunks);
  void* has_bits = platform::reserve(slices, platform::kPageSize, 0);
  void* words = platform::reserve(slices * kSliceBytes, 2u << 20, 0);
  const bool readable = words && platform::make_readable(words, slices * kSliceBytes);
  if (ready && has_bits && readable) {
    chunks_ = static_cast<uint8_t*>(ready);
    has_bits_ = static_cast<uint8_t*>(has_bits);
    words_ = static_cast<uint64_t*>(words);
    return true;
  }
  if (ready) platform::release(ready, chunks);
  if (has_bits) platform::release(has_bits, slices);
  if (words) platform::release(words, slices * kSliceBytes);
  return false;
}

size_t MarkBits::next_slice(size_t slice) const {
  while (slice < prepared_slices_) {
    if (chunks_[slice / kSlicesPerChunk] == kNothing) {
      slice = (slice / kSlicesPerChunk + 1) * kSlicesPerChunk;
    } else if (!has_bits_[slice]) {
      slice++;
    } else {
      return slice;
    }
  }
  return slice;
}

// Touches only pages of has_bits_ that have or had something to say. false: out of memory.
bool MarkBits::copy_used_slices(size_t limit) {
  for (size_t slice = next_slice(0); slice < prepared_slices_; slice = next_slice(slice + 1)) {
    has_bits_[slice] = 0;
  }
  prepared_slices_ = limit;
  for (size_t slice = heap::next_used_slice(0); slice < limit;
       slice = heap::next_used_slice(slice + 1)) {
    if (!commit_chunk_of(slice)) return false;
    has_bits_[slice] = 1;
  }
  return true;
}

// Random accesses to the tables of a large heap miss the TLB unless the tables' pages are huge.
// Only chunks that are mostly in use are worth a huge page: a small or scattered heap must not grow
// by pages that it does not need.
void MarkBits::use_huge_pages(uint64_t most_ns) {
  const uint64_t end = platform::monotonic_ns() + most_ns;
  size_t in_use = 0, chunk = 0;
  for (size_t slice = next_slice(0);; slice = next_slice(slice + 1)) {
    if (slice >= prepared_slices_ || slice / kSlicesPerChunk != chunk) {
      if (in_use >= kSlicesPerChunk * 3 / 4 && chunks_[chunk] != kHuge) {
        if (platform::monotonic_ns() >= end) return;
        make_huge(chunk);
      }
      if (slice >= prepared_slices_) return;
      chunk = slice / kSlicesPerChunk;
      in_use = 0;
    }
    in_use++;
  }
}

// The map's part for the chunk, and the bits of the chunk and its neighbours.
void MarkBits::make_huge(size_t chunk) {
  constexpr size_t kMapBytes = kSlicesPerChunk * kGranulesPerSlice;
  auto map = reinterpret_cast<uintptr_t>(heap::geometry.map) + chunk * kMapBytes;
  uintptr_t lo = (map + kHugePage - 1) & ~(kHugePage - 1);
  uintptr_t hi = (map + kMapBytes) & ~(kHugePage - 1);
  if (lo < hi) platform::collapse_into_huge(reinterpret_cast<void*>(lo), hi - lo);
  size_t first = chunk & ~(kChunksPerHuge - 1);
  bool already = false;
  for (size_t i = first; i < first + kChunksPerHuge; i++) already |= chunks_[i] == kHuge;
  if (already) {
    chunks_[chunk] = kHuge;
    return;
  }
  char* bits = reinterpret_cast<char*>(words_) + first * kSlicesPerChunk * kSliceBytes;
  if (!platform::commit(bits, kHugePage)) return;
  chunks_[chunk] = kHuge;
  // What they hold is about to be cleared anyway.
  platform::discard(bits, kHugePage);
  platform::advise_huge(bits, kHugePage);
}

bool MarkBits::cover() {
  if (!reserve_tables()) return false;
  size_t limit = heap::slice_limit();
  if (limit && !platform::commit(has_bits_, limit)) return false;
  return copy_used_slices(limit);
}

bool MarkBits::prepare(uint64_t huge_ns) {
  holds_garbage_ = false;
  if (!cover()) return false;
  if (huge_ns) use_huge_pages(huge_ns);
  for (size_t slice = next_slice(0); slice < prepared_slices_; slice = next_slice(slice + 1)) {
    memset(&words_[slice * kWordsPerSlice], 0, kSliceBytes);
  }
  return true;
}

void MarkBits::turn_into_garbage() {
  holds_garbage_ = true;
  auto* convert = cpu().avx512 ? garbage_of_slice_avx512 : garbage_of_slice_sse2;
  for (size_t slice = next_slice(0); slice < prepared_slices_; slice = next_slice(slice + 1)) {
    convert(heap::geometry.map + slice * kGranulesPerSlice, &words_[slice * kWordsPerSlice]);
  }
}

}  // namespace heaprake::collector
