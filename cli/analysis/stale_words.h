// Words of lost blocks that were left behind and are no references: those behind the end of a
// vector's or around a deque's elements, those behind a text's characters (which a short one has in
// the string itself, in libc++'s where a long one has its address), those of an object that its
// control block says has been destroyed. Memory that has been used before is full of them, and they
// would make one structure of things that have nothing to do with each other.
//
// Only among lost blocks: what such a word leads to is lost whether or not the word counts.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "cli/analysis/containers.h"
#include "cli/snapshot/snapshot.h"
#include "cli/types/types.h"

namespace heaprake::cli {

class StaleWords {
 public:
  // None.
  StaleWords() = default;
  // Without types nothing is known of control blocks.
  StaleWords(const Snapshot& snapshot, const std::vector<bool>& lost, const Types* types);

  // The block's references but for these.
  std::span<const BlockEdge> live_edges(const Snapshot& snapshot, uint32_t block) const;

 private:
  void look_at_containers(const Snapshot& snapshot, const std::vector<bool>& lost, uint32_t block);
  void look_at_deque(const Snapshot& snapshot, const Container& deque);
  void look_at_control_block(const Snapshot& snapshot, const Types& types, uint32_t block);
  void look_at_short_texts(const Snapshot& snapshot, uint32_t block);
  void add(const Snapshot& snapshot, uint32_t block, uint64_t from);
  void keep(const Snapshot& snapshot, uint32_t block, uint64_t begin, uint64_t end);

  bool libcxx_ = false;  // the program uses that library

  std::unordered_map<uint32_t, uint32_t> from_;  // of a block: words at this offset and above
  // Of a block with others in the middle: the references that it has.
  std::unordered_map<uint32_t, std::vector<BlockEdge>> kept_;
};

}  // namespace heaprake::cli
