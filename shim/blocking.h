// What the blocking calls' files share. One such call, as its wrapper in blocking.S keeps it.
#pragma once

#include <time.h>

#include <cstddef>
#include <cstdint>

#include "shim/interposed.h"

namespace heaprake::shim {

struct Call {
  long args[6];
  const Row* row;
  int kept_errno;  // before the call; a call that succeeds in the end leaves it so
  // Coarse clock; only if the time-out is relative and finite. Of a send: heaprake_early_receipts.
  uint64_t started;
};
static_assert(offsetof(Call, row) == 48 && offsetof(Call, kept_errno) == 56 &&
                  offsetof(Call, started) == 64 && sizeof(Call) == 72,
              "blocking.S builds this frame");

// Ends or repeats a call that returned `result`, an error or fewer bytes than asked for.
extern "C" long heaprake_blocking_call_ended(Call* call, long result);

// A call of `row` inside a safe region, made again from the start while a signal of ours alone ends
// it with nothing done.
long call_again(const Row& row, long first, long second, long third, long fourth = 0,
                long fifth = 0);

// CLOCK_MONOTONIC_COARSE: a few nanoseconds to read, behind the true time by up to a tick.
extern "C" uint64_t heaprake_coarse_ns();

// `given` is the argument that limits a wait which began at `started`: the argument for waiting on.
// Never too short, so that no wait ends too early. May point to *storage.
long time_left(Timeout timeout, long given, uint64_t started, timespec* storage);

// Set at start: where errno lies from the thread pointer, the same for all threads.
void start_errno_offset();

}  // namespace heaprake::shim
