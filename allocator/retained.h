// Memory that mimalloc gives up, kept for a while: a program that frees and allocates in turn
// should not pay for page faults each time. It goes back to the system, the oldest first, when it
// is too much; most of it when a thread is about to wait in libc, at most once a second; and all
// that was not used again for a while, now and then, while the program allocates.
//
// Ranges are whole pages in mimalloc's part of the heap, and hold no block. Any thread, under one
// lock.
#pragma once

#include "platform/platform.h"

namespace heaprake::heap::retained {

// mimalloc has no use for the range: keeps it, or discards it and what else is too much.
void give_up(platform::Range range);
// Blocks may appear in the range from now on.
void take_back(platform::Range range);
// What a thread does that is about to wait (platform::set_idle_hook).
void on_idle();
// Discards what was there at the last call already.
void discard_unused();
// Discards all that is kept.
void discard_all();

void reset_after_fork();

}  // namespace heaprake::heap::retained
