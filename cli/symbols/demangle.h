// C++ names as people write them.
#pragma once

#include <string>

namespace heaprake::cli {

// The name itself if it is not a mangled one.
std::string demangled(const char* name);

}  // namespace heaprake::cli
