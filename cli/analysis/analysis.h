// From a snapshot to what a report tells: the way through the other files of this folder.
#pragma once

#include <cstdint>

#include "cli/analysis/finding.h"
#include "cli/progress.h"
#include "cli/snapshot/snapshot.h"
#include "cli/types/types.h"

namespace heaprake::cli {

// Everything that is lost. Totals are exact, whatever is left out of the examples.
Findings analyse(const Snapshot& snapshot, const Types& types, const Progress& progress = {},
                 SharedFiles files = nullptr);

}  // namespace heaprake::cli
