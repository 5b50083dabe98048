#include "collector/filter.h"

#include <immintrin.h>

#include <bit>
#include <cstring>

#include "allocator/heap.h"
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

__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi2"))) size_t filter_avx512(
    const Filter& f, const char* lo, const char* hi, uintptr_t* out) {
  const __m512i first = _mm512_set1_epi32(static_cast<int>(f.first_high));
  const __m512i keep = _mm512_set1_epi32(static_cast<int>(f.keep_high()));
  const __m512i keep_words = _mm512_set1_epi64(static_cast<long long>(f.rule.keep));
  const __m512i count = _mm512_set1_epi32(static_cast<int>(f.high_count));
  const unsigned wanted = f.rule.alignment == 4 ? 0xffffu : 0xaaaau;
  size_t n = 0;
  for (const char* p = lo; p < hi; p += 64) {
    unsigned lanes = wanted;
    __m512i v;
    if (hi - p >= 64) [[likely]] {
      v = _mm512_loadu_si512(p);
    } else {
      // Lanes that are masked out do not fault.
      unsigned inside = (1u << ((hi - p) / 4)) - 1;
      v = _mm512_maskz_loadu_epi32(static_cast<__mmask16>(inside), p);
      lanes &= inside;
    }
    unsigned mask = _mm512_mask_cmplt_epu32_mask(
        static_cast<__mmask16>(lanes), _mm512_sub_epi32(_mm512_and_epi32(v, keep), first), count);
    if (!mask) continue;
    auto odd = static_cast<__mmask8>(_pext_u32(mask, 0xaaaa));
    // One full store of the packed words: a compressing store to memory is microcode on some CPUs.
    _mm512_storeu_si512(out + n, _mm512_maskz_compress_epi64(odd, _mm512_and_epi64(v, keep_words)));
    n += static_cast<size_t>(std::popcount(static_cast<unsigned>(odd)));
    if (unsigned even = mask & 0x5555u) [[unlikely]]
      n += emit_even(even, p, lo, f.rule.keep, out + n);
  }
  return n;
}

}  // namespace

size_t Filter::operator()(const void* lo, const void* hi, uintptr_t* out) const {
  const char* from = static_cast<const char*>(lo);
  const char* to = static_cast<const char*>(hi);
  if (rule.alignment == 1) return filter_bytes(*this, from, to, out);
  if (cpu().avx512) return filter_avx512(*this, from, to, out);
  if (cpu().avx2 && to - from >= 32) return filter_avx2(*this, from, to, out);
  return filter_scalar(*this, from, from, to, out);
}

Filter Filter::for_heap(WordRule rule) {
  const heap::Geometry& g = heap::geometry;
  auto first = static_cast<uint32_t>(g.base >> 32);
  auto last = static_cast<uint32_t>((g.base + g.size - 1) >> 32);
  return Filter{first, last - first + 1, rule};
}

}  // namespace heaprake::collector
