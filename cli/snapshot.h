#pragma once

#include <sys/types.h>

#include <string>

namespace heaprake::cli {

// The content of a snapshot file, asked of a running process. Throws a Failure (kExitFailure).
std::string take_snapshot(pid_t pid);

}  // namespace heaprake::cli
