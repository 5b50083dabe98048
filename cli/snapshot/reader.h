// From a file to a Snapshot.
#pragma once

#include <string>

#include "cli/progress.h"
#include "cli/snapshot/snapshot.h"

namespace heaprake::cli {

// Throws a Failure (kExitFailure) whose sentence says what is wrong with the file.
Snapshot read_snapshot(const std::string& path, const Progress& progress = {});

}  // namespace heaprake::cli
