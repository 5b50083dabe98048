// What a snapshot tells of a block beyond its place: from the ledger.
#pragma once

#include "allocator/heap.h"

namespace heaprake::collector {

struct SnapshotEntry {
  size_t requested;
  uint32_t stack = 0;
  uint32_t thread = 0;
  uint32_t time_ms = 0;
  bool ignored = false;
  bool inherited = false;
};

inline SnapshotEntry entry_of(const heap::Block& block) {
  SnapshotEntry entry{};
  entry.requested = heap::requested_size(block);
  return entry;
}

// Whether any block is ignored or inherited.
inline bool any_excused() {
  return false;
}

// The name of the block's type, "" if it has none. It stays where it is.
inline const char* type_of(const heap::Block&) {
  return "";
}

}  // namespace heaprake::collector
