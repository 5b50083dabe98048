// Loaded and closed by unwind_test.cpp.
#include "unwind_frames.h"

extern "C" [[gnu::visibility("default")]] int unwind_library_call(Probe* probe) {
  const int result = probe();
  asm volatile("" : : "r"(result));
  return result + 1;
}
