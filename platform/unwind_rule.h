// How to get from one frame of a call stack to the next, for one place in the code: eight bytes.
#pragma once

#include <bit>
#include <cstdint>

namespace heaprake::platform {

// CFA ("canonical frame address"): the stack pointer as it is once the function has returned. The
// return address stands just below it, at CFA - 8.
enum class Cfa : uint64_t {
  kUnknown,       // no unwind table has this place, or its words are beyond what fits in a rule
  kStackPointer,  // rsp + offset
  kFramePointer,  // rbp + offset
  kAtStack,       // the word at rsp + offset, plus extra
  kAtFrame,       // the word at rbp + offset, plus extra
  kSignalFrame,   // a handler's return to the kernel: registers are in the ucontext at rsp
  kOutermost      // nobody called this function
};

enum class SavedBp : uint64_t {
  kSame,   // the caller's rbp is still in rbp
  kAtCfa,  // it stands at CFA + 8 * bp_words
  kAtBp    // it stands at rbp + 8 * bp_words
};

struct UnwindRule {
  static constexpr int32_t kMaxOffset = (1 << 27) - 1;
  static constexpr int32_t kMaxExtra = 255;
  static constexpr int32_t kMaxBpWords = 511;

  Cfa cfa : 3 = Cfa::kUnknown;
  SavedBp bp : 2 = SavedBp::kSame;
  int64_t offset : 28 = 0;
  int64_t extra : 9 = 0;
  int64_t bp_words : 10 = 0;
  uint64_t tag : 12 = 0;  // for the cache of rules
};
static_assert(sizeof(UnwindRule) == 8);

}  // namespace heaprake::platform
