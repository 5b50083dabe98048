#include "cli/inherited.h"

#include "cli/failure.h"
#include "cli/snapshot/reader.h"

namespace heaprake::cli {

namespace {

bool is_inherited(const Snapshot& snapshot, uint32_t block) {
  return snapshot.flags[block] & HEAPRAKE_BLOCK_INHERITED;
}

// Of each process that can be read.
template <class Look>
void look_at_all(const HuntFiles& files, Look look) {
  for (pid_t pid : files.processes()) {
    try {
      look(read_snapshot(files.at_exit(pid).string()));
    } catch (const Failure&) {
      // Its report says so, if it has one.
    }
  }
}

}  // namespace

Inherited::Key Inherited::key(const Snapshot& snapshot, uint32_t block) {
  return {snapshot.address[block], snapshot.requested[block], snapshot.time_ms[block]};
}

Inherited::Inherited(const HuntFiles& files) {
  // Those that are in question are few, what has been lost may be much.
  std::set<Key> asked;
  look_at_all(files, [&](const Snapshot& snapshot) {
    for (uint32_t block = 0; block < snapshot.blocks(); ++block)
      if (is_inherited(snapshot, block) && !snapshot.reachable(block))
        asked.insert(key(snapshot, block));
  });
  if (asked.empty()) return;
  look_at_all(files, [&](const Snapshot& snapshot) {
    for (uint32_t block = 0; block < snapshot.blocks(); ++block)
      if (!is_inherited(snapshot, block) && !snapshot.reachable(block) &&
          asked.contains(key(snapshot, block)))
        told_.insert(key(snapshot, block));
  });
}

uint64_t Inherited::leave_to_others(Snapshot* snapshot) const {
  uint64_t left = 0;
  for (uint32_t block = 0; block < snapshot->blocks(); ++block) {
    if (!is_inherited(*snapshot, block) || snapshot->reachable(block)) continue;
    if (!told_.contains(key(*snapshot, block))) {
      ++left;
      continue;
    }
    snapshot->flags[block] |= HEAPRAKE_BLOCK_REACHABLE;
    heaprake_snapshot_end& totals = snapshot->totals;
    const uint64_t bytes = snapshot->requested[block];
    --totals.unreachable_blocks;
    totals.unreachable_bytes -= bytes;
    ++totals.reachable_blocks;
    totals.reachable_bytes += bytes;
  }
  return left;
}

}  // namespace heaprake::cli
