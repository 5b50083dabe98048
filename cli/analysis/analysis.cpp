#include "cli/analysis/analysis.h"

#include "cli/analysis/describe.h"
#include "cli/analysis/dominators.h"
#include "cli/analysis/grouping.h"
#include "cli/analysis/merging.h"
#include "cli/analysis/near_leaks.h"
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

namespace {

class Analysis {
 public:
  Analysis(const Snapshot& snapshot, const Types& types, const Progress& progress,
           SharedFiles files)
      : snapshot_(snapshot),
        types_(types),
        progress_(progress),
        files_(or_own(std::move(files), snapshot)),
        fields_(snapshot, files_) {}

  std::vector<Finding> findings_of(const Structures& structures, Certainty certainty) {
    std::vector<Group> groups = group(snapshot_, types_, structures, files_);
    const std::vector<uint64_t> retained = retained_by(structures);
    Describer describer(snapshot_, types_, fields_, structures, files_);
    std::vector<Finding> findings;
    for (Group& group : groups) {
      const Structure& example = structures.all[group.example];
      group.finding.certainty = certainty;
      group.finding.retained = retained[structures.order[example.begin]];
      describer.describe(example, members_ < kMostOfAll ? kMostMembers : kFewMembers,
                         &group.finding);
      members_ += group.finding.members.size();
      findings.push_back(std::move(group.finding));
      report_progress(progress_, "describing findings", findings.size(), groups.size());
    }
    return merge_alike(snapshot_, types_, files_, std::move(findings));
  }

 private:
  // Of each node, by way of the structures' roots: that of a cycle is any block of it, since all of
  // the others go with it.
  std::vector<uint64_t> retained_by(const Structures& structures) const {
    Dominators dominators;
    {
      std::vector<uint32_t> roots;
      roots.reserve(structures.all.size());
      for (const Structure& structure : structures.all)
        roots.push_back(structures.order[structure.begin]);
      dominators = dominators_of(structures.graph, roots);
    }
    std::vector<uint64_t> bytes(structures.block_of.size());
    for (size_t node = 0; node < bytes.size(); ++node)
      bytes[node] = snapshot_.requested[structures.block_of[node]];
    return retained_bytes(dominators, std::move(bytes));
  }

  const Snapshot& snapshot_;
  const Types& types_;
  const Progress& progress_;
  const SharedFiles files_;
  Fields fields_;
  uint64_t members_ = 0;
};

}  // namespace

Findings analyse(const Snapshot& snapshot, const Types& types, const Progress& progress,
                 SharedFiles files) {
  Findings findings;
  Analysis analysis(snapshot, types, progress, std::move(files));
  {
    const Structures lost = find_structures(snapshot, progress, &types);
    findings.lost = analysis.findings_of(lost, Certainty::kNothing);
    findings.blocks = lost.order.size();
    findings.bytes = lost.bytes;
    findings.structures = lost.all.size();
    for (const Finding& finding : findings.lost) findings.cycles += finding.cycles;
  }
  const NearLeaks near = near_leaks(snapshot, types);
  if (!near.any()) return findings;
  const auto add = [&](const std::vector<bool>& blocks, Certainty certainty) {
    const Structures structures = find_structures(snapshot, blocks, progress);
    findings.uncertain_blocks += structures.order.size();
    for (Finding& finding : analysis.findings_of(structures, certainty)) {
      finding.id = findings.near_leaks.size() + 1;
      findings.near_leaks.push_back(std::move(finding));
    }
  };
  add(near.interior, Certainty::kInteriorOnly);
  add(near.dead_frame, Certainty::kDeadFrame);
  return findings;
}

}  // namespace heaprake::cli
