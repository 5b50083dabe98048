// shared_ptr's control blocks, told by the names of their classes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace heaprake::cli {

struct ControlBlock {
  std::string object;  // type of what is owned
  // Where the object lies in the block (make_shared), or where the pointer to it does.
  bool inplace = false;
  uint32_t offset = 0;
  // It was made by another allocator than the library's, which lies beside the object and lives
  // until the last weak_ptr goes.
  bool has_allocator = false;
  // The pointer comes behind the deleter and the allocator, last of all.
  bool has_deleter = false;
  // Of a block of that size, as asked for.
  uint64_t pointer_offset(uint64_t size) const {
    return has_deleter && size > 8 ? size / 8 * 8 - 8 : offset;
  }
  // libstdc++: two 4-byte counters, of owners at 8, of weak ones at 12. libc++: two of 8 bytes, at
  // 8 and 16, each less by one.
  bool libcxx = false;
};

// From the demangled name of a class, nothing if it is no control block.
std::optional<ControlBlock> control_block(const std::string& type);

struct OwnerCounts {
  int64_t owners = 0;
  int64_t weak = 0;  // weak_ptrs; what all owners together hold is not counted
};
OwnerCounts owner_counts(const ControlBlock& block, uint64_t word1, uint64_t word2);

}  // namespace heaprake::cli
