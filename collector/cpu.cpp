#include "collector/cpu.h"

#include <cpuid.h>

#include <cstdint>

namespace heaprake::collector {

namespace {

Cpu chosen;
bool known = false;  // racing detections write the same answer

uint64_t enabled_state() {
  uint32_t lo, hi;
  asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return static_cast<uint64_t>(hi) << 32 | lo;
}

Cpu detect() {
  Cpu cpu;
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return cpu;
  uint64_t state = enabled_state();
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return cpu;
  cpu.avx2 = (state & 0x6) == 0x6 && (b & bit_AVX2);
  constexpr unsigned kWanted = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
  cpu.avx512 = (state & 0xe6) == 0xe6 && (b & kWanted) == kWanted;
  return cpu;
}

}  // namespace

const Cpu& cpu() {
  if (!known) {
    chosen = detect();
    known = true;
  }
  return chosen;
}

void override_cpu(Cpu value) {
  chosen = value;
  known = true;
}

}  // namespace heaprake::collector
