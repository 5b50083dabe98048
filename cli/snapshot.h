#pragma once

#include <sys/types.h>

#include <string>

namespace heaprake::cli {

// Asks a running process for a snapshot of all its blocks, and writes it to the descriptor of
// `path`. Throws a Failure (kExitFailure).
void take_snapshot(pid_t pid, int fd, const std::string& path);

}  // namespace heaprake::cli
