// Reading a snapshot (heaprake/snapshot.h). What comes from a file is not believed: counts are held
// against the file's size before anything is allocated, and every index and address is checked.
#pragma once

#include <string>
#include <vector>

#include "heaprake/snapshot.h"

namespace heaprake::cli {

struct Snapshot {
  heaprake_snapshot_header header{};
  std::vector<heaprake_snapshot_block> blocks;  // in address order; they do not overlap
  std::vector<heaprake_snapshot_edge> edges;    // in (from, offset) order; indices are in range
  std::vector<std::string> command;             // argv of the program, if it is known
};

// Throws a Failure (kExitFailure) whose sentence says what is wrong with the file.
Snapshot read_snapshot(const std::string& path);

}  // namespace heaprake::cli
