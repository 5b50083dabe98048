// What the collector tells, as lines on stderr: warnings, mistakes and misses always, collections
// with the option verbose or GC_DEBUG_STATS, collectable blocks with GC_DEBUG_COLLECTABLE.
#pragma once

#include "collector/collector.h"

namespace heaprake::shim {

void on_event(collector::Event event, const char* text);

}  // namespace heaprake::shim
