#include "cli/analysis/describe.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <unordered_map>

#include "cli/analysis/example.h"
#include "cli/analysis/wording.h"
#include "cli/text.h"
#include "cli/types/coroutines.h"

namespace heaprake::cli {

namespace {

// Larger structures are not searched for containers: it would take as much memory again.
constexpr uint32_t kMostFolded = 4'000'000;

// Of the two C++ libraries.
constexpr std::array kSpaces = {"std::", "std::__1::"};

}  // namespace

// One finding on its way.
class Describer::One {
 public:
  One(Describer& all, const Structure& structure, Finding* finding)
      : snapshot_(all.snapshot_),
        types_(all.types_),
        fields_(all.fields_),
        kinds_(all.kinds_),
        structures_(all.structures_),
        references_(all.references_),
        structure_(structure),
        finding_(*finding),
        folding_(all.snapshot_, all.types_, &all.fields_, blocks_of(all.structures_, structure),
                 [this](uint32_t control) { return references_to_start(control); }) {}

  void run(uint32_t limit) {
    example_ = example_of(snapshot_, structures_, structure_, folding_, limit);
    for (const Example::Shown& shown : example_.members) add_member(shown);
    for (const Example::Edge& edge : example_.edges) add_edge(edge);
    count_inside();
    for (size_t i = 0; i < example_.members.size(); ++i) place(i);
    for (size_t i = 0; i < example_.members.size(); ++i) judge(i);
    finding_.cycle_length = example_.cycle_length;
    settle_shape();
    finding_.closing_edge = example_.closing_edge;
    finding_.members_omitted = example_.omitted;
    finding_.edges_omitted = example_.edges_omitted;
    const Wording wording(types_, fields_, folding_, structure_, example_, finding_);
    std::string title = wording.title(), advice = wording.advice();
    finding_.title = std::move(title);
    finding_.advice = std::move(advice);
  }

 private:
  static std::vector<uint32_t> blocks_of(const Structures& structures, const Structure& structure) {
    std::vector<uint32_t> blocks;
    if (structure.blocks() > kMostFolded) return blocks;
    blocks.reserve(structure.blocks());
    for (uint32_t i = structure.begin; i < structure.end; ++i)
      blocks.push_back(structures.block_of[structures.order[i]]);
    return blocks;
  }

  uint32_t node_of(uint32_t block) const {
    const auto& blocks = structures_.block_of;
    return static_cast<uint32_t>(std::lower_bound(blocks.begin(), blocks.end(), block) -
                                 blocks.begin());
  }

  // Of a block that is not looked at others may know.
  int64_t references_to_start(uint32_t block) const {
    const uint32_t node = node_of(block);
    if (node == structures_.block_of.size() || structures_.block_of[node] != block)
      return INT64_MAX;
    return references_[node].to_start;
  }

  void add_member(const Example::Shown& shown) {
    Member member;
    member.address = snapshot_.address[shown.block];
    member.size = snapshot_.requested[shown.block];
    member.type = types_.name(shown.block);
    member.type_source = name_of(types_.sources[shown.block]);
    member.references = references_[node_of(shown.block)].all;
    member.folded_blocks = shown.folded_blocks;
    member.folded_bytes = shown.folded_bytes;
    member.stack = snapshot_.stack[shown.block];
    member.thread = snapshot_.thread[shown.block];
    member.time_ms = snapshot_.time_ms[shown.block];
    if (const Container* fills = folding_.filling(shown.block)) {
      member.label = kinds_.of(*fills);
      member.type = name_of(*fills, member.label);
      member.type_source = "container";
      if (!folding_.is_all_of(shown.block, *fills)) {
        member.label.insert(0, "block that begins with a ");
        member.type =
            "block of " + counted(member.size, "byte") + " that begins with a " + member.type;
      }
    }
    if (member.type.empty()) {
      member.type = shown.container ? "" : lone_pointer(shown.block);
      if (member.type.empty()) member.type = smart_pointer(shown.block);
      if (!member.type.empty()) member.type_source = "container";
    }
    if (member.label.empty()) member.label = member.type;
    finding_.members.push_back(std::move(member));
  }

  // What a block is that has nothing but an object's address; "" if it is not. Whether a
  // unique_ptr is possible is known where debug information has the type.
  std::string lone_pointer(uint32_t block) {
    const std::span<const BlockEdge> words = snapshot_.edges_of(block);
    if (snapshot_.requested[block] != 8 || words.size() != 1 || words[0].to == block) return "";
    const Type& type = types_.type(words[0].to);
    if (type.name.empty() || words[0].inner != type.object_offset()) return "";
    const bool unique = std::any_of(kSpaces.begin(), kSpaces.end(), [&](const char* space) {
      const std::string name = std::string(space) + "unique_ptr<" + type.full_name + ", " + space +
                               "default_delete<" + type.full_name + "> >";
      return fields_.size_of(type.module, name) == 8;
    });
    return (unique ? "std::unique_ptr or pointer to " : "pointer to ") + type.name;
  }

  // What a block is that has nothing but the two words of a shared_ptr; "" if it is not.
  std::string smart_pointer(uint32_t block) const {
    const std::span<const BlockEdge> words = snapshot_.edges_of(block);
    if (snapshot_.requested[block] != 16 || words.size() != 2) return "";
    const Hold hold = folding_.owners().of(block, words[0]);
    if (hold == Hold::kPlain || types_.name(words[0].to).empty()) return "";
    const char* kind = hold == Hold::kWeak     ? "std::weak_ptr<"
                       : hold == Hold::kEither ? "std::shared_ptr or weak_ptr<"
                                               : "std::shared_ptr<";
    return kind + types_.name(words[0].to) + ">";
  }

  void add_edge(const Example::Edge& edge) {
    const uint32_t block = example_.members[edge.from].block;
    std::string field;
    // Debug information knows the owner's fields, not what a member stands for.
    if (!example_.members[edge.from].container) field = field_at(block, edge.word.offset);
    finding_.edges.push_back(
        {edge.from, edge.to, edge.word.offset, edge.word.inner, field, edge.weak});
  }

  // Words of the structure that refer to each member's block.
  void count_inside() {
    std::unordered_map<uint32_t, Member*> members;
    for (size_t i = 0; i < example_.members.size(); ++i)
      members[example_.members[i].block] = &finding_.members[i];
    for (uint32_t i = structure_.begin; i < structure_.end; ++i) {
      const uint32_t block = structures_.block_of[structures_.order[i]];
      for (const BlockEdge& edge : structures_.stale.live_edges(snapshot_, block)) {
        const auto member = members.find(edge.to);
        if (member != members.end()) ++member->second->references_inside;
      }
    }
  }

  // Words by which containers hold themselves together, and weak_ptrs, make no cycle.
  void settle_shape() {
    if (finding_.shape != Shape::kCycle || example_.cycle_length > 0 || !example_.searched) return;
    finding_.shape = structure_.blocks() == 1 ? Shape::kBlock : Shape::kTree;
    finding_.cycles = 0;
  }

  std::string field_at(uint32_t block, uint64_t offset) {
    const Type& type = types_.type(block);
    if (types_.of[block] == 0 || offset < type.object_offset()) return "";
    return fields_.at(type, offset - type.object_offset());
  }

  // Where a coroutine's code is, if it has no names.
  std::string functions_of(uint32_t block) const {
    const PackedWords words = snapshot_.words_of(block);
    if (!types_.type(block).nameless_code || words.size() < 2) return "";
    const std::string destroy = place_in_code(snapshot_, words[1]);
    if (words[0] == 0) return "has finished; is destroyed by " + destroy;
    return "goes on in " + place_in_code(snapshot_, words[0]) + ", is destroyed by " + destroy;
  }

  // "characters of the std::string at offset 24 of Parent"
  void place(size_t index) {
    const Example::Shown& shown = example_.members[index];
    Member& member = finding_.members[index];
    if (folding_.is_control_block(shown.block)) {
      const int32_t owner = member_of(folding_.whole_of(shown.block));
      if (owner < 0) return;
      member.part_of = owner;
      member.role =
          "shared_ptr's control block of " + called(finding_.members[static_cast<size_t>(owner)]);
      member.label = member.role;
      return;
    }
    if (types_.sources[shown.block] == TypeSource::kCode) member.role = functions_of(shown.block);
    if (!shown.container) return;
    const Container& container = *shown.container;
    member.part_of = member_of(container.owner);
    const std::string owner =
        member.part_of < 0 ? "block of " + counted(snapshot_.requested[container.owner], "byte")
                           : called(finding_.members[static_cast<size_t>(member.part_of)]);
    const std::string field = field_at(container.owner, container.offset);
    member.role = std::string(container.what) + " of ";
    const std::string kind = kinds_.of(container), name = name_of(container, kind);
    const std::string at = " at offset " + grouped(container.offset) + " of " + owner;
    member.label = member.role;
    if (field.empty()) {
      member.role += "the " + name + at;
      member.label += "the " + kind + at;
    } else {
      member.role += field + " of " + owner + ", a " + name;
      member.label += field + " of " + owner;
    }
    if (member.type.empty()) {
      member.type = kind + "'s " + container.what;
      member.type_source = "container";
    }
  }

  int32_t member_of(uint32_t block) const {
    for (size_t i = 0; i < example_.members.size(); ++i)
      if (example_.members[i].block == block && !example_.members[i].container)
        return static_cast<int32_t>(i);
    return -1;
  }

  // The counts of shared_ptr against the references that were found.
  void judge(size_t index) {
    const uint32_t block = example_.members[index].block;
    const std::optional<OwnerCounts> counts = counts_of(snapshot_, types_, block);
    if (!counts) return;
    // Every owner and every weak_ptr refers to the control block's start.
    const References& references = references_[node_of(block)];
    const int64_t found = std::max<int64_t>(references.to_start - counts->weak, 0);
    const Member& block_member = finding_.members[index];
    const bool inside = block_member.references_inside == block_member.references;
    // A control block that lies apart speaks for its object.
    const int32_t part_of = finding_.members[index].part_of;
    Member& member = finding_.members[part_of < 0 ? index : static_cast<size_t>(part_of)];
    member.count = counts->owners;
    const std::string figures =
        "count " + std::to_string(counts->owners) + ", found " + std::to_string(found);
    if (counts->owners == 0)
      member.verdict = "count 0: it has been destroyed, a weak_ptr keeps its memory";
    else if (counts->owners > found)
      member.verdict = figures + ": a release is missing";
    else if (counts->owners < found)
      member.verdict = figures + ": a pointer that has let go of it still has its address";
    else
      member.verdict = figures + (!inside                      ? ""
                                  : example_.cycle_length == 0 ? ", all from inside"
                                                               : ", all from inside the cycle");
  }

  const Snapshot& snapshot_;
  const Types& types_;
  Fields& fields_;
  ContainerKinds& kinds_;
  const Structures& structures_;
  const std::vector<References>& references_;
  const Structure& structure_;
  Finding& finding_;
  Folding folding_;
  Example example_;
};

Describer::Describer(const Snapshot& snapshot, const Types& types, Fields& fields,
                     const Structures& structures, SharedFiles files)
    : snapshot_(snapshot),
      types_(types),
      fields_(fields),
      kinds_(snapshot, types, fields, std::move(files)),
      structures_(structures),
      references_(structures.graph.size()) {
  for (uint32_t node = 0; node < structures.graph.size(); ++node) {
    const std::span<const uint32_t> targets = structures.graph.row(node);
    // The row has the edges that lead to nodes, in their order.
    size_t i = 0;
    for (const BlockEdge& edge : snapshot.edges_of(structures.block_of[node])) {
      if (i == targets.size()) break;
      if (structures.block_of[targets[i]] != edge.to) continue;
      References& references = references_[targets[i++]];
      ++references.all;
      references.to_start += edge.inner == 0 ? 1 : 0;
    }
  }
}

void Describer::describe(const Structure& structure, uint32_t limit, Finding* finding) {
  One(*this, structure, finding).run(limit);
}

}  // namespace heaprake::cli
