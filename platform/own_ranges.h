// Which addresses are ours: an ordered set of disjoint ranges, kept by memory.cpp and read by
// for_each_mapping. The kernel merges neighbouring anonymous mappings, ours with the program's, so
// the list of mappings alone cannot tell.
#pragma once

#include "platform/platform.h"

namespace heaprake::platform::own_ranges {

// Any thread. add returns false when the table is full: then the range is not in the set.
bool add(Range range);
void remove(Range range);

// The lowest part of the set that lies in [lo, hi), cut to it; an empty range if there is none.
// Lock-free; sees the set as it was at one moment.
Range first_within(uintptr_t lo, uintptr_t hi);

// In a forked child: another thread may have held the writers' lock.
void reset_after_fork();

}  // namespace heaprake::platform::own_ranges
