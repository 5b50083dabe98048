// Names that outlive the file they were read from. Each is stored once, for ever: there are as many
// as the process has mapped files.
#pragma once

#include <cstddef>

namespace heaprake::collector {

// The stored copy of `name`; "" when out of memory. Only under the collector's lock.
const char* intern(const char* name);

}  // namespace heaprake::collector
