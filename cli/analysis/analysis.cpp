#include "cli/analysis/analysis.h"

#include <algorithm>

#include "cli/analysis/example.h"
#include "cli/analysis/grouping.h"
#include "cli/analysis/structures.h"

namespace heaprake::cli {

namespace {

// Of a finding's example. Once the findings before it have used up the total, only the first few.
constexpr uint32_t kMostMembers = 1000, kFewMembers = 16;
constexpr uint64_t kMostOfAll = 100'000;

std::vector<uint32_t> references_of(const Structures& structures) {
  std::vector<uint32_t> references(structures.graph.size(), 0);
  for (uint32_t target : structures.graph.targets) ++references[target];
  return references;
}

class Describer {
 public:
  Describer(const Snapshot& snapshot, const Types& types, const Structures& structures)
      : snapshot_(snapshot),
        types_(types),
        structures_(structures),
        references_(references_of(structures)) {}

  void describe(const Structure& structure, uint32_t limit, Finding* finding) const {
    const Example example = example_of(snapshot_, structures_, structure, limit);
    for (uint32_t node : example.nodes) finding->members.push_back(member(node));
    for (const Example::Edge& edge : example.edges) {
      finding->edges.push_back({edge.from, edge.to, edge.word.offset, edge.word.inner, ""});
      ++finding->members[edge.to].references_inside;
    }
    finding->closing_edge = example.closing_edge;
    finding->members_omitted = example.omitted;
    finding->retained = structure.bytes;
  }

 private:
  Member member(uint32_t node) const {
    const uint32_t block = structures_.block_of[node];
    Member member;
    member.address = snapshot_.address[block];
    member.size = member.folded_bytes = snapshot_.requested[block];
    member.type = types_.name(block);
    member.type_source = name_of(types_.sources[block]);
    member.references = references_[node];
    member.stack = snapshot_.stack[block];
    member.thread = snapshot_.thread[block];
    member.time_ms = snapshot_.time_ms[block];
    return member;
  }

  const Snapshot& snapshot_;
  const Types& types_;
  const Structures& structures_;
  std::vector<uint32_t> references_;  // to each node, from nodes
};

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
  const Describer describer(snapshot, types, structures);
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
