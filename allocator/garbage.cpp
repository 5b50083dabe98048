// Garbage of one slice, freed together: the map is written eight granules at a time, and a page of
// mimalloc's that holds nothing else is emptied at once.
#include <atomic>
#include <bit>
#include <cstring>

#include "allocator/mimalloc_host.h"
#include "allocator/record.h"
#include "allocator/starts.h"

namespace heaprake::heap {

namespace {

constexpr size_t kWords = kSliceSize / kGranule / 64;
static_assert(std::endian::native == std::endian::little);

// 0xff for every bit of the lowest eight that is set.
uint64_t bytes_of(uint64_t bits) {
  const uint64_t apart = (bits & 0xff) * 0x0101010101010101u & 0x8040201008040201u;
  return ((apart + 0x7f7f7f7f7f7f7f7fu) >> 7 & 0x0101010101010101u) * 0xff;
}

// Which of the 64 granules' bytes say how long a block is: the others' blocks are told of elsewhere
// too.
uint64_t plain_bytes(size_t granule) {
  const __m128i most = _mm_set1_epi8(static_cast<char>(kMaxSmallGranules));
  uint64_t plain = 0;
  for (size_t i = 0; i < 64; i += 16) {
    const __m128i bytes =
        _mm_load_si128(reinterpret_cast<const __m128i*>(geometry.map + granule + i));
    // 0 becomes the highest of all.
    const __m128i less = _mm_sub_epi8(bytes, _mm_set1_epi8(1));
    const __m128i last = _mm_sub_epi8(most, _mm_set1_epi8(1));
    const __m128i small = _mm_cmpeq_epi8(_mm_max_epu8(less, last), last);
    plain |= uint64_t{static_cast<unsigned>(_mm_movemask_epi8(small))} << i;
  }
  return plain;
}

// The bytes in `mask`, which are 0 on the map from now on. Whoever frees a block meanwhile writes
// its byte alone: what one of the two gets the other does not (take_off).
uint64_t take_bytes(size_t granule, uint64_t mask) {
  if (!mask) return 0;
  std::atomic_ref word(*reinterpret_cast<uint64_t*>(geometry.map + granule));
  uint64_t all = word.load(std::memory_order_relaxed);
  while (!word.compare_exchange_weak(all, all & ~mask)) {
  }
  return all & mask;
}

char* address_of(size_t granule) {
  return reinterpret_cast<char*>(geometry.base + granule * kGranule);
}

template <class Visit>
void for_each_bit(uint64_t bits, Visit visit) {
  for (; bits; bits &= bits - 1) visit(static_cast<size_t>(std::countr_zero(bits)));
}

// One word of the bits: its blocks are off the map, and counted.
class Taken {
 public:
  Taken(size_t granule, uint64_t bits, Freed* freed) : granule_(granule) {
    for (size_t i = 0; i < 64; i += 8) {
      const uint64_t taken = take_bytes(granule + i, bytes_of(bits >> i));
      std::memcpy(bytes_ + i, &taken, sizeof taken);
    }
    __m128i sums = _mm_setzero_si128();
    for (size_t i = 0; i < 64; i += 16) {
      const __m128i taken = _mm_load_si128(reinterpret_cast<const __m128i*>(bytes_ + i));
      sums = _mm_add_epi64(sums, _mm_sad_epu8(taken, _mm_setzero_si128()));
      bits_ |= uint64_t{nonzero_mask(bytes_ + i)} << i;
    }
    const auto low = _mm_cvtsi128_si64(sums);
    const auto high = _mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums));
    freed->bytes += static_cast<size_t>(low + high) * kGranule;
    freed->blocks += static_cast<size_t>(std::popcount(bits_));
    freed->gone += static_cast<size_t>(std::popcount(bits & ~bits_));
  }

  void free() const {
    // mi_free would wait for every line in turn.
    for_each_bit(bits_, [&](size_t i) {
      asm volatile("prefetchw %0" : : "m"(*address_of(granule_ + i)));
    });
    for_each_bit(bits_, [&](size_t i) {
      char* p = address_of(granule_ + i);
      std::memset(p, 0, bytes_[i] * kGranule);
      fast::heaprake_mimalloc_free(p);
    });
  }

 private:
  const size_t granule_;
  uint64_t bits_ = 0;
  alignas(16) uint8_t bytes_[64];
};

// Whether all of the slice is one page of the calling thread's, and holds nothing but `blocks`.
bool is_whole(size_t granule, const uint64_t* bits) {
  size_t count = 0, first = 0;
  for (size_t i = kWords; i-- > 0;) {
    if (!bits[i]) continue;
    if (bits[i] & ~plain_bytes(granule + i * 64)) return false;
    count += static_cast<size_t>(std::popcount(bits[i]));
    first = granule + i * 64 + static_cast<size_t>(std::countr_zero(bits[i]));
  }
  return count && heaprake_mimalloc_used_blocks(address_of(first)) == count;
}

}  // namespace

Freed free_garbage(size_t slice, uint64_t* bits) {
  Freed freed;
  const size_t begin = slice * (kSliceSize / kGranule);
  const bool whole = is_whole(begin, bits);
  size_t some = 0;
  for (size_t i = 0; i < kWords; ++i) {
    const size_t granule = begin + i * 64;
    const uint64_t mine = bits[i] ? bits[i] & plain_bytes(granule) : 0;
    if (!mine) continue;
    bits[i] &= ~mine;
    const Taken taken(granule, mine, &freed);
    if (!whole) taken.free();
    some = granule + static_cast<size_t>(std::countr_zero(mine));
  }
  // A program that hides its pointers is freeing one of them: the others stay off the map, unfreed.
  if (whole && freed.gone == 0) heaprake_mimalloc_empty_page(address_of(some));
  return freed;
}

}  // namespace heaprake::heap
