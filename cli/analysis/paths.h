// Who keeps a block alive: the shortest way to it from a root, a named one if there is any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/analysis/names.h"
#include "cli/analysis/weak_words.h"
#include "cli/progress.h"
#include "cli/snapshot/snapshot.h"

namespace heaprake::cli {

struct Path {
  RootReference root;  // leads to the first block
  struct Step {
    uint32_t block;
    uint32_t offset;  // of the word, in the block before; of the first block: 0
    uint32_t inner;   // where it leads to, in this block
    bool weak;        // it is a word of a weak_ptr
  };
  std::vector<Step> steps;
};

// A breadth-first search over all blocks, done once. Needs a snapshot with all blocks. First from
// the globals, whose names say most; from threads and other mappings only to what these leave. And
// by weak_ptrs, which keep no object alive, only to what all of that leaves.
class Paths {
 public:
  explicit Paths(const Names& names, const Progress& progress = {});
  // Nothing if no root leads there.
  std::optional<Path> to(uint32_t block) const;

 private:
  // From roots of that kind that are weak_ptrs, or are none, and by words that are; also from what
  // an earlier search has reached. Returns what it has reached itself, the nearest first.
  std::vector<uint32_t> search(bool globals, bool weak, const std::vector<uint32_t>& reached);
  void enter(uint32_t block, uint32_t before, uint32_t which);
  void go_on(uint32_t block, bool by_weak_words);

  static constexpr uint32_t kUnreached = UINT32_MAX, kRoot = UINT32_MAX - 1;
  const Snapshot& snapshot_;
  const WeakWords weak_;
  std::vector<uint32_t> before_;  // of each block: the block on the way to it, kRoot, kUnreached
  std::vector<uint32_t> which_;   // which of that block's edges, or of the roots
  std::vector<uint32_t> steps_;   // from a root, while it is searched
  std::vector<uint32_t> queue_;
};

// "std::map<int, X>", or "block of 40 bytes"
std::string name_of_block(const Names& names, uint32_t block);

// The word by which a step leaves a block: "children_", or "offset 16".
std::string name_of_word(const Names& names, uint32_t block, uint32_t offset);

// " (a std::weak_ptr)" behind the name of the word that leads to a step, if it is one's.
const char* note_of_word(const Path::Step& step);

// "cache_ in libfoo.so + 16 -> Map.first -> Node.next -> ...": long ways lose their middle.
std::string path_text(const Names& names, const Path& path);

}  // namespace heaprake::cli
