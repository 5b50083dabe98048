// What an analysis tells and a report prints: plain data, complete in itself but for the stacks,
// which are numbers of the snapshot's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heaprake::cli {

enum class Shape {
  kBlock,  // one block, without a reference to itself
  kTree,   // several blocks, root a single block and no cycle (there may be one below it)
  kCycle,  // the root component is a cycle, a block that refers to itself included; but not one of
           // a container's own words (a short string, an empty map) or of weak_ptrs alone
};
const char* name_of(Shape shape);  // "block", "tree", "cycle"

enum class Certainty {
  kNothing,       // nothing refers to it from outside the structure
  kInteriorOnly,  // reachable, but only by words that point into the middle of it
  kDeadFrame,     // reachable, but only by words in a stack frame that looks dead
};

// A block of a finding's example structure; or several that a container has made of one thing.
struct Member {
  uint64_t address = 0;
  uint64_t size = 0;  // bytes asked for
  std::string type;   // "Parent", "std::vector<int>", "" if unknown
  // How the type is known: "vtable", "control block", "container", "name" (gc::make), "code" (of a
  // coroutine), "stack" (what was allocated there); "" if it is not.
  std::string type_source;
  // What it is, without figures that differ among structures that look alike: "std::vector",
  // "characters of name of Parent"; "" if unknown.
  std::string label;
  uint64_t references = 0;         // words that refer to it, from anywhere that was seen
  uint64_t references_inside = 0;  // of these, from within the structure
  std::optional<int64_t> count;    // its owners, as a shared_ptr's control block has it
  std::string verdict;             // "count 2, found 1: a release is missing"; "" if nothing to say
  std::string role;                // "characters of the string at offset 24 of Parent"; "" if none
  int32_t part_of = -1;            // member whose part it is (a string's characters), -1: itself
  uint64_t folded_blocks = 1;      // blocks that it stands for (a map's nodes), itself included
  uint64_t folded_bytes = 0;       // of these, itself included
  uint32_t stack = 0;              // allocation stack
  uint32_t thread = 0;
  uint32_t time_ms = 0;  // of its allocation, since the process' start
};

struct FindingEdge {
  uint32_t from = 0, to = 0;  // positions in members
  uint64_t offset = 0;        // of the word, in `from`
  uint64_t inner = 0;         // where it points, in `to`
  std::string field;          // "child_", "" if there is no debug information for it
  bool weak = false;          // a word of a weak_ptr
};

// What one allocation stack has to do with a finding's blocks.
struct Share {
  uint32_t stack = 0;
  bool root = false;  // blocks of root components; else blocks that these lead to
  uint64_t blocks = 0, bytes = 0;
  uint32_t site = 0;  // the same for stacks that mean the same
};

// Where it was last reachable, from an earlier check of the same run.
struct LastHeld {
  uint32_t uptime_ms = 0;  // of that check
  std::string path;        // "global cache_ in libfoo.so + 16 -> Map -> Node"
  bool another = false;    // of the finding's structures: the example was lost before all checks
};

// What some of a finding's structures have and others have not.
struct VaryingPart {
  std::string label;        // as Member has it
  uint64_t structures = 0;  // so many have it
};

// Structures that look the same: the same object is lost, or a cycle of the same objects, with the
// same types and allocation stacks, and leads to the same. Their parts may differ.
struct Finding {
  uint64_t id = 0;              // 1, 2, ... in the order of the report: most bytes first
  Shape shape = Shape::kBlock;  // the example's
  Certainty certainty = Certainty::kNothing;
  uint64_t structures = 0, blocks = 0, bytes = 0;  // totals of all structures
  uint64_t cycles = 0;                             // of these structures, by their own shape
  uint32_t fewest_blocks = 0, most_blocks = 0;     // of one structure
  uint32_t fewest_root = 0, most_root = 0;         // blocks in its root component
  uint64_t fewest_bytes = 0, most_bytes = 0;       // asked for, of one structure
  uint64_t retained = 0;  // bytes that freeing the root (or cutting the cycle) of one would free
  std::string title;      // "cycle of 2: Parent <-> Child", "std::map<int, X> of 1,000 entries"
  std::string advice;     // a sentence or two, "" if there is none to give
  std::vector<Member> members;     // of the example: the cycle in its order, then the others
  std::vector<FindingEdge> edges;  // among the members
  uint64_t edges_omitted = 0;      // of these, beyond the limit; never the closing one
  // Members in the cycle, the first ones. 0: none, or, where the shape is a cycle, none found among
  // very many objects.
  uint32_t cycle_length = 0;
  int64_t closing_edge = -1;         // position in edges of the one that closes the cycle, or -1
  std::vector<VaryingPart> varying;  // most structures first; none if not all could be compared
  std::vector<Share> shares;         // of all structures; sums equal to blocks and bytes
  uint64_t members_omitted = 0;      // of the example, beyond the limit
  static constexpr size_t kMostRoots = 100'000;
  // Of its structures, the first ones in address order: a root's block in the snapshot.
  std::vector<uint32_t> roots;
  uint32_t first_ms = 0, last_ms = 0;  // the oldest and the youngest allocation of a root
  std::optional<LastHeld> last_held;
  // Of the first one that is lost: a part of it stands before it if it has the lower address.
  uint32_t stack() const {
    if (members.empty()) return 0;
    const Member& first = members.front();
    const bool part = cycle_length == 0 && first.part_of >= 0;
    return part ? members[static_cast<size_t>(first.part_of)].stack : first.stack;
  }
};

struct Findings {
  std::vector<Finding> lost;        // certainty kNothing: these are leaks
  std::vector<Finding> near_leaks;  // the others: not counted as leaks
  // Over `lost`, all of it: sums over findings are equal to these.
  uint64_t blocks = 0, bytes = 0, structures = 0, cycles = 0;
  uint64_t uncertain_blocks = 0;  // of near_leaks
};

}  // namespace heaprake::cli
