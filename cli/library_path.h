// Where libheaprake.so is.
#pragma once

#include <string>

namespace heaprake::cli {

// HEAPRAKE_LIBRARY if set; else beside the command, or where `cmake --install` puts it relative to
// the command: ../lib/<multiarch>, ../lib, ../lib64. A command in a folder bin looks there first,
// any other beside itself first. Throws a Failure when there is none, or when its path has a
// character that LD_PRELOAD cannot carry.
std::string library_path();

// The same for a command that stands in `directory`; `override_path` is HEAPRAKE_LIBRARY or null.
std::string library_path_from(const std::string& directory, const char* override_path);

}  // namespace heaprake::cli
