// Names that outlive what they were read from: of mapped files, of types. Each is stored once, for
// ever.
#pragma once

#include "platform/platform.h"

namespace heaprake::collector {

// The stored copy of `name`; "" when out of memory or if it is longer than 64 KiB. Any thread, any
// time, the stopped world included.
const char* intern(const char* name);

extern platform::ForkMutex names_lock;

}  // namespace heaprake::collector
