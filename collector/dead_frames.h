// Which words of stacks look dead although they are scanned (platform/dead_frames.h).
//
// find() while nothing moves: in the stopped world, or in a copy of the process; then the rest.
#pragma once

#include "collector/mapped_array.h"
#include "collector/roots.h"

namespace heaprake::collector {

class DeadFrames {
 public:
  ~DeadFrames() { ranges_.shrink(0); }
  // Of all stacks among the roots. What memory does not suffice for is left out.
  void find(const platform::World& world, const RootSet& roots);
  bool contains(uintptr_t address) const;

 private:
  MappedArray<platform::Range> ranges_;  // by address, apart from each other
};

}  // namespace heaprake::collector
