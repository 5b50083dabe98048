// A library with functions whose names and lines the tests know. Each catches the return addresses
// on its way: what an allocation stack would hold.
#include "names_sample.h"

namespace {

__attribute__((noinline)) void capture(Capture* out) {
  out->pcs[0] = __builtin_extract_return_addr(__builtin_return_address(0));
}

}  // namespace

namespace std {
// Stands for the C++ library's own frames.
__attribute__((noinline)) void fixture_allocate(Capture* out) {
  capture(out);
  out->pcs[1] = __builtin_extract_return_addr(__builtin_return_address(0));
  asm volatile("");
}
}  // namespace std

namespace family {

struct Parent {
  // Inlined into its caller: a frame without a frame.
  __attribute__((always_inline)) void adopt(Capture* out) {
    std::fixture_allocate(out);  // adopt line
    asm volatile("");
  }
};

__attribute__((noinline)) void make(Capture* out) {
  Parent parent;
  parent.adopt(out);  // make line
  out->pcs[2] = __builtin_extract_return_addr(__builtin_return_address(0));
  asm volatile("");
}

}  // namespace family

static __attribute__((noinline)) void hidden(Capture* out) {
  family::make(out);
  out->pcs[3] = __builtin_extract_return_addr(__builtin_return_address(0));
  asm volatile("");
}

extern "C" void names_sample(Capture* out) {
  hidden(out);  // outer line
  asm volatile("");
}

// A lambda's function has no linkage name in the debug information, and here no symbol either.
extern "C" void names_sample_lambda(Capture* out) {
  auto local = [out]() __attribute__((always_inline)) {
    std::fixture_allocate(out);
    asm volatile("");
  };
  local();
  asm volatile("");
}

extern "C" {
long names_sample_table[16] = {1};
}
