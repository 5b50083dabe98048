#include "collector/unmarked.h"

#include <bit>
#include <cstring>

#include "allocator/heap.h"
#include "collector/avx512.h"
#include "collector/cpu.h"
#include "platform/platform.h"

namespace heaprake::collector {

// GCC 12 takes the undefined upper parts in its own intrinsics for uninitialised variables.
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace {

// Sixteen lanes of 32 bits at a time, as in the filter.
class Reader {
 public:
  HEAPRAKE_AVX512 Reader(const Filter& f, const MarkBits::Reader& bits, const char* lo, size_t* out)
      : first_(_mm512_set1_epi32(static_cast<int>(f.first_high))),
        count_(_mm512_set1_epi32(static_cast<int>(f.high_count))),
        keep_(_mm512_set1_epi64(static_cast<long long>(f.rule.keep))),
        keep_high_(_mm512_set1_epi32(static_cast<int>(f.keep_high()))),
        base_(_mm512_set1_epi64(static_cast<long long>(heap::geometry.base))),
        size_(_mm512_set1_epi64(static_cast<long long>(heap::geometry.size))),
        wanted_(f.rule.alignment == 4 ? 0xffffu : 0xaaaau),
        keep_bits_(f.rule.keep),
        bits_(bits),
        lo_(lo),
        out_(out) {}

  // Those of the 64 bytes at `p` that are in `lanes`.
  HEAPRAKE_AVX512 void take(const char* p, unsigned lanes) {
    const __m512i v = _mm512_loadu_si512(p);
    const __m512i high = _mm512_sub_epi32(_mm512_and_epi32(v, keep_high_), first_);
    const unsigned mask =
        _mm512_mask_cmplt_epu32_mask(static_cast<__mmask16>(lanes & wanted_), high, count_);
    if (!mask) return;
    // The processor's own prefetching ends with each page.
    __builtin_prefetch(p + platform::kPageSize);
    take_aligned(v, static_cast<__mmask8>(_pext_u32(lanes, 0xaaaa)));
    if (const unsigned even = mask & 0x5555) [[unlikely]]
      take_straddling(p, even);
  }
  size_t* out() const { return out_; }

 private:
  HEAPRAKE_AVX512 void take_aligned(__m512i v, __mmask8 lanes) {
    const __m512i one = _mm512_set1_epi64(1);
    const __m512i offsets = _mm512_sub_epi64(_mm512_and_epi64(v, keep_), base_);
    const __mmask8 inside = _mm512_mask_cmplt_epu64_mask(lanes, offsets, size_);
    const __m512i granules = _mm512_srli_epi64(offsets, std::countr_zero(heap::kGranule));
    const __m512i bits = _mm512_mask_i64gather_epi64(one, inside, _mm512_srli_epi64(granules, 6),
                                                     bits_.words(), sizeof(uint64_t));
    // The shift takes the count's lower six bits only if they are all that there is.
    const __m512i bit = _mm512_srlv_epi64(bits, _mm512_and_epi64(granules, _mm512_set1_epi64(63)));
    const __mmask8 unmarked = _mm512_mask_testn_epi64_mask(inside, bit, one);
    if (!unmarked) return;
    _mm512_storeu_si512(out_, _mm512_maskz_compress_epi64(unmarked, granules));
    out_ += std::popcount(static_cast<unsigned>(unmarked));
  }
  // Words that begin in the lane before; what begins before the piece is another's.
  void take_straddling(const char* p, unsigned lanes) {
    for (; lanes; lanes &= lanes - 1) {
      const char* at = p + 4 * std::countr_zero(lanes) - 4;
      if (at < lo_) continue;
      uintptr_t word;
      memcpy(&word, at, sizeof word);
      const uintptr_t offset = (word & keep_bits_) - heap::geometry.base;
      if (offset >= heap::geometry.size) continue;
      *out_ = offset / heap::kGranule;
      out_ += !bits_.test(*out_);
    }
  }

  const __m512i first_, count_, keep_, keep_high_, base_, size_;
  const unsigned wanted_;
  const uint64_t keep_bits_;
  const MarkBits::Reader bits_;
  const char* const lo_;
  size_t* out_;
};

}  // namespace

Unmarked::Unmarked(const Filter& filter, const MarkBits& bits)
    : filter_(filter),
      bits_(bits),
      usable_(cpu().avx512 && !filter.rule.disguises && filter.rule.alignment != 1) {}

HEAPRAKE_AVX512 size_t Unmarked::operator()(const Piece& piece, size_t* out, size_t room,
                                            size_t* count) const {
  constexpr unsigned kAll = 0xffff;
  const auto* lo =
      reinterpret_cast<const char*>(heap::geometry.base + piece.granule * heap::kGranule);
  const char* const hi = lo + piece.granules * heap::kGranule;
  Reader reader(filter_, bits_, lo, out + *count);
  const size_t* const enough = out + room - kMost;
  const char* p = lo;
  for (; p + 64 <= hi && reader.out() <= enough; p += 64) reader.take(p, kAll);
  if (p < hi && p + 64 > hi && reader.out() <= enough) {
    // The rest, as the end of a whole load; the words before it have been taken.
    reader.take(hi - 64, kAll << (16 - (hi - p) / 4));
    p = hi;
  }
  *count = static_cast<size_t>(reader.out() - out);
  return static_cast<size_t>(p - lo) / heap::kGranule;
}

#pragma GCC diagnostic pop

}  // namespace heaprake::collector
