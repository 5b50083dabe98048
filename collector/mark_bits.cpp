#include "collector/mark_bits.h"

#include <immintrin.h>

#include <cstring>

#include "collector/cpu.h"

namespace heaprake::collector {

namespace {

constexpr size_t kSlicesPerChunk = 1024;
constexpr size_t kSliceBytes = MarkBits::kWordsPerSlice * sizeof(uint64_t);
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
  if (chunk_ready_[chunk]) return true;
  char* lo = reinterpret_cast<char*>(words_) + chunk * kSlicesPerChunk * kSliceBytes;
  if (!platform::commit(lo, kSlicesPerChunk * kSliceBytes)) return false;
  platform::advise_huge(lo, kSlicesPerChunk * kSliceBytes);
  chunk_ready_[chunk] = 1;
  return true;
}

bool MarkBits::reserve_tables() {
  if (words_) return true;
  size_t chunks = total_slices() / kSlicesPerChunk + 1;
  size_t slices = chunks * kSlicesPerChunk;
  void* ready = platform::map(chunks);
  void* has_bits = platform::reserve(slices, platform::kPageSize, 0);
  void* words = platform::reserve(slices * kSliceBytes, 2u << 20, 0);
  if (ready && has_bits && words) {
    chunk_ready_ = static_cast<uint8_t*>(ready);
    has_bits_ = static_cast<uint8_t*>(has_bits);
    words_ = static_cast<uint64_t*>(words);
    return true;
  }
  if (ready) platform::release(ready, chunks);
  if (has_bits) platform::release(has_bits, slices);
  if (words) platform::release(words, slices * kSliceBytes);
  return false;
}

bool MarkBits::prepare() {
  if (!reserve_tables()) return false;
  size_t limit = heap::slice_limit();
  if (limit && !platform::commit(has_bits_, limit)) return false;
  prepared_slices_ = 0;
  memcpy(has_bits_, heap::geometry.slice_used, limit);
  for (size_t slice = 0; slice < limit; slice++) {
    if (!has_bits_[slice]) continue;
    if (!commit_chunk_of(slice)) return false;
    memset(&words_[slice * kWordsPerSlice], 0, kSliceBytes);
  }
  prepared_slices_ = limit;
  return true;
}

void MarkBits::turn_into_garbage() {
  auto* convert = cpu().avx512 ? garbage_of_slice_avx512 : garbage_of_slice_sse2;
  for (size_t slice = 0; slice < prepared_slices_; slice++) {
    if (!has_bits_[slice]) continue;
    convert(heap::geometry.map + slice * kGranulesPerSlice, &words_[slice * kWordsPerSlice]);
  }
}

}  // namespace heaprake::collector
