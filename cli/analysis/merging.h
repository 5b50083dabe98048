// Findings that are one leak to a person: the same object is lost, or a cycle of the same objects,
// allocated at the same places, and only its parts differ. A text is short in one and has
// characters of its own in another, a map has more entries. What else hangs below it is of the same
// kinds.
#pragma once

#include <string>
#include <vector>

#include "cli/analysis/finding.h"
#include "cli/types/types.h"

namespace heaprake::cli {

// Takes them together, most bytes first, and numbers them anew. Sums stay what they are; the
// example is one of those structures of which there are most.
std::vector<Finding> merge_alike(const Snapshot& snapshot, const Types& types, SharedFiles files,
                                 std::vector<Finding> findings);

// What is lost: the members of the cycle, as they lead to each other, or the one that has no owner.
std::vector<const Member*> lost_members(const Finding& finding);

}  // namespace heaprake::cli
