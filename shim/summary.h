// The figures of the process: gc_get_stats, and the summary that the option stats prints.
#pragma once

#include "heaprake/gc.h"

namespace heaprake::shim {

gc_stats current_stats();

// The first line, the oracle's and the verifier's have a fixed form that scripts rely on.
// false: not all of it could be written.
bool write_summary(int fd);

}  // namespace heaprake::shim
