// The marker: sets the bit of every block that the roots reach.
//
// Each worker turns a wheel of steps, each of which works on a batch and fetches what the next
// step will read, so that cache and TLB misses overlap; without that marking costs ten times as
// much (docs/design.md):
//
//     grey block -> its first line is fetched -> filtered into words -> mark words are fetched ->
//     the unmarked: map lines are fetched -> resolved to blocks, bits set -> grey blocks
//
// All fetches go to the second-level cache only: the first one has few buffers for misses, and
// blocks at the same offset in their pages, as the nodes of a tree often are, drive each other out
// of it. Workers with much to do give grey blocks to a shared pool that idle ones wait at.
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
  bool unread = false;    // a root that must be read could not be
};

MarkResult mark(const RootSet& roots, const platform::AddressSpace& space, const Filter& filter,
                unsigned workers, MarkBits& bits);

}  // namespace heaprake::collector
