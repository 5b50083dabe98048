// A directory of /proc whose entries are numbers: threads, descriptors.
#pragma once

#include "platform/platform.h"

namespace heaprake::platform {

// Visits every entry that is a number, from the first on; "." and ".." are none. false when the
// directory cannot be read, or the visitor returned false.
bool for_each_number(int directory, FunctionRef<bool(int number)> visit);

}  // namespace heaprake::platform
