// Signals that come for the program while its main thread cannot run a handler of the program's.
//
// The kernel gives a signal that is sent to the process to the main thread, unless that blocks it:
// then to any other thread that does not, which may be one that waits in libc. Its wait ends then,
// and the handler runs where the program has never seen it run. So the main thread does not block
// such signals for long, but takes them and sends them to itself once it may run handlers again:
//
//   begin -> open the mask -> stand still, or collect -> block all -> send again -> end
//
// All of it concerns the main thread alone: no other is preferred.
#pragma once

#include <cstdint>

#include "platform/platform.h"

namespace heaprake::platform {

// run_deferring for the stop signal's handler, which has `ucontext`, on a stack of its own.
void wait_deferring(const void* ucontext, FunctionRef<void()> wait);
// In a handler of the program's that has not begun, in a thread that counts as stopped: waits for
// the end of the stop, if this is the main thread.
void wait_at_door(const void* ucontext);

// Before the world goes on: lets the main thread have what has come for the process meanwhile and
// it does not block, but may not have got a processor for yet. Who unblocks first gets it, so that
// it would be the caller, or any other. Gives up after some milliseconds.
void let_main_take_first();

// From now on signals stay blocked: the program's seccomp filter may not let them be sent again.
// Returns once what has been taken is sent. The caller does not hold the lock of collections.
void forbid_deferring();

void forget_deferred_after_fork();

}  // namespace heaprake::platform
