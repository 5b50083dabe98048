// A clock for every allocation: as coarse as the kernel's tick, a few nanoseconds to read.
#pragma once

#include <cstdint>

namespace heaprake::platform {

// Once, before the first reading: finds the clock in the page of code that the kernel lends. libc's
// clock_gettime is not used, since programs put their own in its place, and these allocate.
void start_coarse_clock();
// Nanoseconds since some time before the first reading; steps of one to ten milliseconds.
uint64_t coarse_ns();

}  // namespace heaprake::platform
