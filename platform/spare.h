// Address space laid by for the day when the program has lowered its RLIMIT_AS and no new mapping
// can be made: what we need to stop the world and to mark is then taken from here. Pieces of whole
// pages, first fit.
#pragma once

#include "platform/platform.h"

namespace heaprake::platform::spare {

// Once, at start. Does without when there is no room.
void reserve();

// Any thread, any time. nullptr when there is none, or too little, left. Zeroed.
void* allocate(size_t bytes);
// false: p does not come from here.
bool release(void* p, size_t bytes);

// In a forked child: another thread may have held the lock.
void reset_after_fork();

}  // namespace heaprake::platform::spare
