// Names of C++, Rust and D as people write them.
#pragma once

#include <string>

namespace heaprake::cli {

// The name itself if it is not a mangled one. Of Rust's without their hashes.
std::string demangled(const char* name);

}  // namespace heaprake::cli
