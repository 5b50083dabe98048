// The marker: sets the bit of every block that the roots reach.
//
// Each worker owns a stack of edges (words that may be addresses). An edge goes
//
//     stack -> ring (its mark word is being fetched) -> dropped if marked, else
//     ring (its map line is being fetched) -> resolved to a block, bit set ->
//     ring (the block's first line is being fetched) -> filtered -> its edges go to the stack
//
// so that cache misses overlap; without the rings marking costs ten times as much (docs/design.md).
// Workers with much to do give chunks of edges to a shared pool that idle ones wait at.
//
// Use, by the collecting thread while the world is stopped: mark() once per collection, after
// MarkBits::prepare. Workers run the same code on helper threads without thread-local storage.
#pragma once

#include "collector/filter.h"
#include "collector/mark_bits.h"
#include "collector/roots.h"

namespace heaprake::collector {

struct MarkResult {
  bool complete = false;  // false: out of memory or a root could not be read; nothing may be freed
  size_t blocks = 0;      // marked
  size_t bytes = 0;       // in them
};

MarkResult mark(const RootSet& roots, const platform::AddressSpace& space, const Filter& filter,
                unsigned workers, MarkBits& bits);

}  // namespace heaprake::collector
