// Blocks that the program can reach, but maybe only because a number looks like an address.
//
// A reference is doubtful that leads into the middle of a block, unless that is how such blocks are
// referred to:
//   - others of its kind (the innermost three frames of its allocation stack, or its size where
//   that
//     is not known) are, at that place;
//   - a base class of the object begins there (multiple inheritance);
//   - it is just past the end, as the end of an array is;
//   - the elements of an array begin there, behind their number (new[]);
//   - libc's vector of thread-local storage is referred to so, by the thread.
// More doubtful still is a word that a function has left on the stack and that nobody will read.
#pragma once

#include <vector>

#include "cli/snapshot/snapshot.h"
#include "cli/types/types.h"

namespace heaprake::cli {

struct NearLeaks {
  std::vector<bool> interior;    // every way to it has such a reference
  std::vector<bool> dead_frame;  // or begins in a dead frame, while no other is better
  bool any() const;
};

// Both empty unless the snapshot has all blocks.
NearLeaks near_leaks(const Snapshot& snapshot, const Types& types);

}  // namespace heaprake::cli
