// madvise(2) where nothing depends on the answer: none is given once it might end the program.
#pragma once

#include <cstddef>

namespace heaprake::platform::advice {

// MADV_*, for whole pages.
void give(void* p, size_t bytes, int advice);
// Whether give does anything, and may be followed by a look at a clock.
bool is_allowed();
// A filter of the program's would end it for one of these calls.
void forbid();

}  // namespace heaprake::platform::advice
