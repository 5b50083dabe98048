// Which vector instructions this machine and its operating system allow. Asked once, by CPUID,
// since libgcc's answer is not available before its constructor has run.
#pragma once

namespace heaprake::collector {

struct Cpu {
  bool avx2 = false;
  bool avx512 = false;  // F, BW, DQ and VL
};
const Cpu& cpu();
// For tests: what cpu() answers from now on.
void override_cpu(Cpu value);

}  // namespace heaprake::collector
