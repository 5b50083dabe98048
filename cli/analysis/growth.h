// What has become more between two snapshots, of one process or of two runs of a program.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/analysis/finding.h"
#include "cli/snapshot/snapshot.h"
#include "cli/types/types.h"

namespace heaprake::cli {

struct Amount {
  uint64_t blocks = 0, bytes = 0;
};

struct Growth {
  std::string type;    // of types: its name
  uint32_t stack = 0;  // of sites: the later snapshot's number; 0: unknown, `size` says which
  uint64_t size = 0;   // of sites without a stack: bytes of each block
  Amount before, after;
  Amount lost;           // of `after`
  uint32_t example = 0;  // the youngest of its blocks in the later snapshot, reachable if any is
  int64_t bytes() const { return static_cast<int64_t>(after.bytes - before.bytes); }
  int64_t blocks() const { return static_cast<int64_t>(after.blocks - before.blocks); }
};

struct GrowthReport {
  // What has become more, most additional bytes first.
  std::vector<Growth> sites, types;
  Amount reachable_before, reachable_after, lost_before, lost_after;
  uint64_t elapsed_ms = 0;  // between the two; 0 if that cannot be told
  bool same_process = false;
};

// Blocks that a snapshot has no records of count in the sums only.
GrowthReport growth_between(const Snapshot& before, const Types& types_before,
                            const Snapshot& after, const Types& types_after);

// By how many bytes an hour; 0 if the time is not known.
int64_t hourly(int64_t bytes, uint64_t elapsed_ms);

// Findings of the later snapshot of which there are more structures than in the earlier one; their
// numbers are what has been added.
struct NewLeak {
  const Finding* finding;
  uint64_t structures;
};
std::vector<NewLeak> new_leaks(const Snapshot& before, const Findings& findings_before,
                               const Snapshot& after, const Findings& findings_after);

// Of each finding, where earlier snapshots of the same run, which must have all blocks, last saw
// one of its example's blocks reachable, or else the root of another of its structures.
// `earlier` are in order of time.
struct Earlier {
  const Snapshot* snapshot;
  const Types* types;
};
void tell_last_held(const Snapshot& now, const std::vector<Earlier>& earlier, Findings* findings);

}  // namespace heaprake::cli
