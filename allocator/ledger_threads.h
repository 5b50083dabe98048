// What the ledger keeps for each thread: a number and a name for good, and, while the thread lives,
// room to find its call stacks in.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/ledger_memo.h"
#include "platform/unwind.h"

namespace heaprake::heap::ledger {

// What one walk needs. A handler that interrupts a walk needs a second one.
struct WalkRoom {
  platform::OwnStack own_stack;
  platform::WalkedWords words;
  uint64_t frames[platform::kMaxFrames];
};

// Lies in the frame of a walk that is under way. A handler may have jumped out of it for good; then
// its place on the stack will hold something else, or another mark, sooner or later.
struct WalkMark {
  uintptr_t value;
};

// By its thread alone. All zero at first, and again when the next thread gets it.
struct ThreadRoom {
  const WalkMark* walk;    // the one that is under way in `first`, nullptr: none
  const WalkMark* nested;  // the same for `second`
  uint32_t number;         // of the thread; 0: none was left
  uint32_t generation;     // of the unwind rules that the memo has come from
  uint64_t clock_ns;       // the last reading, and what it is in an entry
  uint64_t clock_code;
  WalkRoom first, second;
  Memo memo;
};

bool start_threads();
// The calling thread's; nullptr when memory is out.
inline __thread ThreadRoom* own_room __attribute__((tls_model("initial-exec"))) = nullptr;
ThreadRoom* make_room();

// Time in units of kTick since start(), which entries have as 14 bits and a scale of four.
inline constexpr uint64_t kTickNs = 10'000'000;
uint64_t ticks_at(uint64_t coarse_ns);

void reset_threads_after_fork();

}  // namespace heaprake::heap::ledger
