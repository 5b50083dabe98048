// Who keeps a block alive: the shortest way to it from a root, a named one if there is any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/progress.h"
#include "cli/snapshot/snapshot.h"
#include "cli/symbols/symbols.h"
#include "cli/types/fields.h"
#include "cli/types/types.h"

namespace heaprake::cli {

struct Path {
  RootReference root;  // leads to the first block
  struct Step {
    uint32_t block;
    uint32_t offset;  // of the word, in the block before; of the first block: 0
    uint32_t inner;   // where it leads to, in this block
  };
  std::vector<Step> steps;
};

// A breadth-first search over all blocks, done once. Needs a snapshot with all blocks. First from
// the globals, whose names say most; from threads and other mappings only to what these leave.
class Paths {
 public:
  explicit Paths(const Snapshot& snapshot, const Progress& progress = {});
  // Nothing if no root leads there.
  std::optional<Path> to(uint32_t block) const;

 private:
  void search(bool globals);

  static constexpr uint32_t kUnreached = UINT32_MAX, kRoot = UINT32_MAX - 1;
  const Snapshot& snapshot_;
  std::vector<uint32_t> before_;  // of each block: the block on the way to it, kRoot, kUnreached
  std::vector<uint32_t> which_;   // which of that block's edges, or of the roots
  std::vector<uint32_t> queue_;
};

// What blocks and fields are called, for those who tell a path.
struct Names {
  const Snapshot& snapshot;
  const Types& types;
  Symbols& symbols;
  Fields& fields;
};

// "std::map<int, X>", or "block of 40 bytes"
std::string name_of_block(const Names& names, uint32_t block);

// The word by which a step leaves a block: "children_", or "offset 16".
std::string name_of_word(const Names& names, uint32_t block, uint32_t offset);

// "cache_ in libfoo.so + 16 -> Map.first -> Node.next -> ...": long ways lose their middle.
std::string path_text(const Names& names, const Path& path);

}  // namespace heaprake::cli
