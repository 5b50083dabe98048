// What a snapshot tells of a block beyond its place and its references.
#pragma once

#include "allocator/ledger.h"

namespace heaprake::collector {

struct SnapshotEntry {
  size_t requested;
  uint32_t stack = 0, thread = 0, time_ms = 0;
  bool ignored = false;
  bool inherited = false;  // older than the fork that made this process

  // It counts as reachable, whatever it is; inherited ones only if that is so.
  bool excused(bool if_inherited) const { return ignored || (inherited && if_inherited); }
};

// Of a block that can be read.
inline SnapshotEntry entry_of(const heap::Block& block) {
  const heap::ledger::Entry known = heap::ledger::entry_of(block);
  const bool inherited = known.thread && known.thread <= heap::ledger::inherited_threads();
  return {known.requested, known.stack, known.thread, static_cast<uint32_t>(known.time_ms),
          known.ignored,   inherited};
}

// Whether any block may be excused.
inline bool may_excuse(bool if_inherited) {
  return heap::ledger::any_ignored() || (if_inherited && heap::ledger::inherited_threads() != 0);
}

}  // namespace heaprake::collector
