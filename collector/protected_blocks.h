// Blocks with pages that the program has protected, unmapped, or mapped something else over.
//
// Nobody may simply read such a block (that may fault, with the world stopped) nor free it (that
// writes to it). So each is kept alive, passed over by whoever reads blocks, and its content is a
// root, read with guards.
//
// While roots are gathered: clear(), note() for the pieces of the heap's range in address order,
// finish(). Afterwards the rest, until the next clear().
#pragma once

#include "allocator/heap.h"
#include "collector/mapped_array.h"
#include "platform/platform.h"

namespace heaprake::collector {

class ProtectedBlocks {
 public:
  void clear();
  // A piece of the process's memory that is ours, of the heap or not. false: out of memory.
  bool note(const platform::Mapping& piece);
  bool finish();

  // In address order.
  const MappedArray<heap::Block>& blocks() const { return blocks_; }
  bool contains(uintptr_t address) const;

 private:
  bool note_hole(uintptr_t lo, uintptr_t hi);
  bool add(const heap::Block& block);

  MappedArray<heap::Block> blocks_;
  uintptr_t noted_ = 0;  // the heap's range has been looked at up to here
};

}  // namespace heaprake::collector
