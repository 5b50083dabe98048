#include "cli/analysis/analysis.h"

#include <algorithm>

#include "cli/analysis/describe.h"
#include "cli/analysis/grouping.h"
#include "cli/analysis/structures.h"

namespace heaprake::cli {

namespace {

// Of a finding's example. Once the findings before it have used up the total, only the first few.
constexpr uint32_t kMostMembers = 1000, kFewMembers = 16;
constexpr uint64_t kMostOfAll = 100'000;

}  // namespace

const char* name_of(Shape shape) {
  switch (shape) {
    case Shape::kBlock:
      return "block";
    case Shape::kTree:
      return "tree";
    case Shape::kCycle:
      return "cycle";
  }
  return "";
}

Findings analyse(const Snapshot& snapshot, const Types& types, const Progress& progress) {
  Findings findings;
  const Structures structures = find_structures(snapshot, progress);
  std::vector<Group> groups = group(snapshot, types, structures);
  Fields fields(snapshot);
  Describer describer(snapshot, types, fields, structures);
  uint64_t members = 0;
  for (Group& group : groups) {
    const uint32_t limit = members < kMostOfAll ? kMostMembers : kFewMembers;
    describer.describe(structures.all[group.example], limit, &group.finding);
    members += group.finding.members.size();
    findings.lost.push_back(std::move(group.finding));
    report_progress(progress, "describing findings", findings.lost.size(), groups.size());
  }
  findings.blocks = structures.order.size();
  findings.bytes = structures.bytes;
  findings.structures = structures.all.size();
  findings.cycles = structures.cycles;
  return findings;
}

}  // namespace heaprake::cli
