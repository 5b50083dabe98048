// Blocks of a structure that are parts of others: a map's nodes, a string's characters, a
// shared_ptr's control block. Of parts within parts the outermost container counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cli/analysis/containers.h"
#include "cli/analysis/owner_words.h"
#include "cli/snapshot/snapshot.h"
#include "cli/types/types.h"

namespace heaprake::cli {

class Folding {
 public:
  // Of the blocks of one structure. `fields` tells weak_ptrs from shared_ptrs; it may be null.
  Folding(const Snapshot& snapshot, const Types& types, Fields* fields,
          const std::vector<uint32_t>& blocks, const OwnerWords::Found& found);

  // The block that is no part of another to which this one belongs; itself if it is none.
  uint32_t whole_of(uint32_t block) const;
  // The outermost container that a block is part of, null if it is part of none.
  const Container* container_of(uint32_t block) const;
  // Whether it is a control block that lies apart from the object that it is part of.
  bool is_control_block(uint32_t block) const { return controls_.contains(block); }
  // The container with which a block of a type that is not known otherwise begins, and which takes
  // up nearly all of it; and whether it is all of the block.
  const Container* filling(uint32_t block) const;
  bool is_all_of(uint32_t block, const Container& container) const;
  // The container whose own words cover a place in the block.
  const Container* at(uint32_t block, uint64_t offset) const;
  // Whether a reference is one by which a container holds itself together: it keeps nothing else
  // alive.
  bool is_internal(uint32_t from, const BlockEdge& edge) const;
  const OwnerWords& owners() const { return owners_; }
  // Whether the word's field is called as those that lead back to an owner are: parent_, prev.
  bool is_called_back(uint32_t from, uint32_t offset) const;

 private:
  struct Part {
    uint32_t container;  // index in containers_
    uint32_t link_bytes;
  };
  void find_parts(uint32_t block);
  bool is_frames_own(uint32_t from, const BlockEdge& edge) const;
  static OwnerWords::Controls controls_in(const Snapshot& snapshot, const Types& types,
                                          const std::vector<uint32_t>& blocks);

  const Snapshot& snapshot_;
  const Types& types_;
  Fields* const fields_;
  std::vector<Container> containers_;
  std::unordered_map<uint32_t, std::vector<uint32_t>> owned_;  // owner -> indices, by offset
  std::unordered_map<uint32_t, Part> parts_;
  OwnerWords::Controls controls_;
  OwnerWords owners_;
};

// Whether a field's last name has one of those words: "node.parent_", "m_pOuter", not "router".
bool leads_back_by_name(std::string_view field);

// What shared_ptr's control block at the start of the block, or of this object, says; nothing if
// none is known.
std::optional<OwnerCounts> counts_of(const Snapshot& snapshot, const Types& types, uint32_t block);

}  // namespace heaprake::cli
