#include "collector/filter.h"

#include <bit>
#include <cassert>
#include <cstring>

#include "allocator/heap.h"
#include "collector/avx512.h"
#include "collector/cpu.h"

namespace heaprake::collector {

namespace {

uintptr_t load_word(const char* p) {
  uintptr_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

// Every byte offset; slow, for programs that keep pointers in packed records.
size_t filter_bytes(const Filter& f, const char* lo, const char* hi, uintptr_t* out) {
  size_t n = 0;
  for (const char* p = lo; p + sizeof(uintptr_t) <= hi; p++) {
    uintptr_t word = load_word(p) & f.rule.keep;
    out[n] = word;
    n += static_cast<uint32_t>(word >> 32) - f.first_high < f.high_count;
  }
  return n;
}

// Scalar: the last few words that fill no vector, and machines without AVX2.
size_t filter_scalar(const Filter& f, const char* lo, const char* begin, const char* hi,
                     uintptr_t* out) {
  size_t n = 0;
  const bool halves = f.rule.alignment == 4;
  for (const char* p = begin; p + 8 <= hi; p += 8) {
    uint32_t even, odd;
    memcpy(&even, p, 4);
    memcpy(&odd, p + 4, 4);
    if (halves && p > lo && (even & f.keep_high()) - f.first_high < f.high_count)
      out[n++] = load_word(p - 4) & f.rule.keep;
    if ((odd & f.keep_high()) - f.first_high < f.high_count) out[n++] = load_word(p) & f.rule.keep;
  }
  return n;
}

// Lanes (a bit each, from `p`) in which an upper half was found; even lanes are 4-aligned words
// that begin in the lane before.
template <class Mask>
size_t emit_even(Mask even, const char* p, const char* lo, uint64_t keep, uintptr_t* out) {
  size_t n = 0;
  for (; even; even &= even - 1) {
    const char* at = p + 4 * std::countr_zero(even) - 4;
    if (at >= lo) out[n++] = load_word(at) & keep;
  }
  return n;
}

__attribute__((target("avx2"))) size_t filter_avx2(const Filter& f, const char* lo, const char* hi,
                                                   uintptr_t* out) {
  // Unsigned comparison by way of the signed one: both sides shifted by 2^31.
  const __m256i first = _mm256_set1_epi32(static_cast<int>(f.first_high));
  const __m256i keep = _mm256_set1_epi32(static_cast<int>(f.keep_high()));
  const __m256i bias = _mm256_set1_epi32(INT32_MIN);
  const __m256i limit = _mm256_set1_epi32(static_cast<int>(f.high_count ^ 0x80000000u));
  const unsigned wanted = f.rule.alignment == 4 ? 0xffu : 0xaau;
  size_t n = 0;
  const char* p = lo;
  for (; p + 32 <= hi; p += 32) {
    __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    __m256i shifted = _mm256_xor_si256(_mm256_sub_epi32(_mm256_and_si256(v, keep), first), bias);
    __m256i hit = _mm256_cmpgt_epi32(limit, shifted);
    unsigned mask = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(hit))) & wanted;
    if (!mask) continue;
    for (unsigned odd = mask & 0xaa; odd; odd &= odd - 1) {
      out[n++] = load_word(p + 4 * std::countr_zero(odd) - 4) & f.rule.keep;
    }
    n += emit_even(mask & 0x55u, p, lo, f.rule.keep, out + n);
  }
  return n + filter_scalar(f, lo, p, hi, out + n);
}

// GCC 12 takes the undefined upper parts in its own intrinsics for uninitialised variables.
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

// `bytes` (a multiple of 8 under 64) from `p`, in the lower lanes. No load reaches further, not
// even with lanes that are masked out: such a load waits for a line that nobody needs.
HEAPRAKE_AVX512 inline __m512i load_short(const char* p, size_t bytes) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i low = zero, high = zero;
  if (bytes & 32) {
    low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    p += 32;
  }
  __m128i rest = _mm_setzero_si128(), last = rest;
  if (bytes & 16) {
    rest = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    p += 16;
  }
  if (bytes & 8) last = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  __m256i tail = bytes & 16 ? _mm256_inserti128_si256(_mm256_castsi128_si256(rest), last, 1)
                            : _mm256_zextsi128_si256(last);
  if (bytes & 32) {
    high = tail;
  } else {
    low = tail;
  }
  return _mm512_inserti64x4(_mm512_zextsi256_si512(low), high, 1);
}

class FilterAvx512 {
 public:
  HEAPRAKE_AVX512 FilterAvx512(const Filter& f, const char* lo, uintptr_t* out)
      : first_(_mm512_set1_epi32(static_cast<int>(f.first_high))),
        keep_(_mm512_set1_epi64(static_cast<long long>(f.rule.keep))),
        keep_high_(_mm512_set1_epi32(static_cast<int>(f.keep_high()))),
        count_(_mm512_set1_epi32(static_cast<int>(f.high_count))),
        wanted_(f.rule.alignment == 4 ? 0xffffu : 0xaaaau),
        keep_bits_(f.rule.keep),
        lo_(lo),
        out_(out) {}

  // Where pieces of another block begin.
  HEAPRAKE_AVX512 void start_at(const char* lo) { lo_ = lo; }
  // The sixteen lanes of `v`, which come from `p`, but for those not in `lanes`. kMostlyNone: that
  // there is no candidate can be predicted.
  template <bool kMostlyNone>
  HEAPRAKE_AVX512 void take(__m512i v, const char* p, unsigned lanes) {
    const __m512i high = _mm512_sub_epi32(_mm512_and_epi32(v, keep_high_), first_);
    const unsigned mask =
        _mm512_mask_cmplt_epu32_mask(static_cast<__mmask16>(lanes & wanted_), high, count_);
    if (kMostlyNone && !mask) return;
    auto odd = static_cast<__mmask8>(_pext_u32(mask, 0xaaaa));
    // One full store of the packed words: a compressing store to memory is microcode on some CPUs.
    _mm512_storeu_si512(out_, _mm512_maskz_compress_epi64(odd, _mm512_and_epi64(v, keep_)));
    out_ += std::popcount(static_cast<unsigned>(odd));
    if (unsigned even = mask & 0x5555u) [[unlikely]]
      out_ += emit_even(even, p, lo_, keep_bits_, out_);
  }
  uintptr_t* out() const { return out_; }

 private:
  const __m512i first_, keep_, keep_high_, count_;
  const unsigned wanted_;
  const uint64_t keep_bits_;
  const char* lo_;
  uintptr_t* out_;
};

template <bool kMostlyNone>
HEAPRAKE_AVX512 inline void take_all(FilterAvx512& filter, const char* lo, const char* hi) {
  constexpr unsigned kAll = 0xffff;
  const auto size = static_cast<size_t>(hi - lo);
  if (size < 64) {
    filter.take<kMostlyNone>(load_short(lo, size), lo, kAll);
  } else {
    const char* p = lo;
    for (; p + 64 <= hi; p += 64) filter.take<kMostlyNone>(_mm512_loadu_si512(p), p, kAll);
    // The rest, as the end of a whole load; the words before it have been taken.
    if (p < hi)
      filter.take<kMostlyNone>(_mm512_loadu_si512(hi - 64), hi - 64, kAll << (16 - (hi - p) / 4));
  }
}

HEAPRAKE_AVX512 size_t filter_avx512(const Filter& f, const char* lo, const char* hi,
                                     uintptr_t* out) {
  FilterAvx512 filter(f, lo, out);
  take_all<true>(filter, lo, hi);
  return static_cast<size_t>(filter.out() - out);
}

HEAPRAKE_AVX512 size_t of_short_avx512(const Filter& f, const Piece* pieces, size_t count,
                                       size_t enough, uintptr_t* out, size_t* found) {
  const char* const base = reinterpret_cast<const char*>(heap::geometry.base);
  FilterAvx512 filter(f, base, out);
  size_t i = 0;
  for (; i < count && static_cast<size_t>(filter.out() - out) < enough; ++i) {
    const char* lo = base + pieces[i].granule * heap::kGranule;
    filter.start_at(lo);
    take_all<false>(filter, lo, lo + pieces[i].granules * heap::kGranule);
  }
  *found += static_cast<size_t>(filter.out() - out);
  return i;
}

#pragma GCC diagnostic pop

// In the form of an address.
size_t filter_plain(const Filter& f, const char* from, const char* to, uintptr_t* out) {
  if (f.rule.alignment == 1) return filter_bytes(f, from, to, out);
  if (cpu().avx512) return filter_avx512(f, from, to, out);
  if (cpu().avx2 && to - from >= 32) return filter_avx2(f, from, to, out);
  return filter_scalar(f, from, from, to, out);
}

size_t of_short_plain(const Filter& f, const Piece* pieces, size_t count, size_t enough,
                      uintptr_t* out, size_t* found) {
  if (f.rule.alignment != 1 && cpu().avx512)
    return of_short_avx512(f, pieces, count, enough, out, found);
  size_t i = 0, n = 0;
  for (; i < count && n < enough; ++i) {
    const char* lo =
        reinterpret_cast<const char*>(heap::geometry.base) + pieces[i].granule * heap::kGranule;
    n += filter_plain(f, lo, lo + pieces[i].granules * heap::kGranule, out + n);
  }
  *found += n;
  return i;
}

// The upper digits of the range's addresses have few values, as their upper halves have.
Filter filter_of_digits() {
  const heap::Geometry& g = heap::geometry;
  const auto first = static_cast<uint32_t>(g.base >> kDigitBits);
  const auto last = static_cast<uint32_t>((g.base + g.size - 1) >> kDigitBits);
  return {first, last - first + 1, {sizeof(uintptr_t)}};
}
// Of what such a filter has found, the addresses, in the same place; returns how many.
size_t take_digits(uintptr_t* words, size_t count) {
  size_t n = 0;
  for (size_t i = 0; i < count; i++) {
    for_each_disguised(kDigits, words[i], 0, 0, [&](uintptr_t word) {
      words[n] = word;
      n += word - heap::geometry.base < heap::geometry.size;
    });
  }
  return n;
}

size_t filter_disguised(const Filter& f, const char* from, const char* to, uintptr_t block,
                        uintptr_t* out) {
  const size_t step = f.rule.alignment == 1 ? 1 : sizeof(uintptr_t);
  Disguises left = f.rule.disguises;
  size_t n = 0;
  if (left & kDigits && step != 1) {
    n = take_digits(out, filter_plain(filter_of_digits(), from, to, out));
    left &= static_cast<Disguises>(~kDigits);
    if (!left) return n;
  }
  for (const char* p = from; p + sizeof(uintptr_t) <= to; p += step) {
    const auto at = reinterpret_cast<uintptr_t>(p);
    for_each_disguised(left, load_word(p), at, block, [&](uintptr_t word) {
      out[n] = word;
      n += word - heap::geometry.base < heap::geometry.size;
    });
  }
  return n;
}

}  // namespace

size_t Filter::operator()(const void* lo, const void* hi, uintptr_t* out, uintptr_t block) const {
  const char* from = static_cast<const char*>(lo);
  const char* to = static_cast<const char*>(hi);
  // Half a word at the end would be read whole, from a page that may not be readable.
  assert(from <= to &&
         ((reinterpret_cast<uintptr_t>(from) | static_cast<size_t>(to - from)) & 7) == 0);
  const size_t n = filter_plain(*this, from, to, out);
  if (!rule.disguises) [[likely]]
    return n;
  return n + filter_disguised(*this, from, to, block, out + n);
}

size_t Filter::of_short(const Piece* pieces, size_t count, size_t enough, uintptr_t* out,
                        size_t* found) const {
  const size_t before = *found;
  const size_t read = of_short_plain(*this, pieces, count, enough, out, found);
  if (!rule.disguises) [[likely]]
    return read;
  out += *found - before;
  size_t candidates = 0;
  of_short_plain(filter_of_digits(), pieces, read, SIZE_MAX, out, &candidates);
  *found += take_digits(out, candidates);
  return read;
}

Filter Filter::for_heap(WordRule rule) {
  const heap::Geometry& g = heap::geometry;
  auto first = static_cast<uint32_t>(g.base >> 32);
  auto last = static_cast<uint32_t>((g.base + g.size - 1) >> 32);
  return Filter{first, last - first + 1, rule};
}

}  // namespace heaprake::collector
