// Parts of a stopped thread's stack that the scanner has to read, though nobody will: what
// functions that have returned left in a frame that has not written there since (an array, say),
// and what lies below the stack pointer where the scanner could not tell that nothing lives there.
//
// A left frame shows by two return addresses that are none of the living frames', as far apart as
// the first one's unwind table says. So it is known to be whole at both ends; that a living
// function has written something in between cannot be ruled out. For reports, therefore, and not
// for deciding what to free.
#pragma once

#include "platform/platform.h"

namespace heaprake::platform {

// `stack` is the mapping with the thread's stack pointer. `contexts`: the program makes contexts,
// whose stacks may be arrays in living frames, so that these are not looked into. In no order;
// ranges may overlap. Needs start_unwinding; the world stands still.
void for_each_dead_frame(const StoppedThread& thread, Range stack, bool contexts,
                         FunctionRef<void(Range)> visit);

}  // namespace heaprake::platform
