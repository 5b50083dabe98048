// The C++ library's containers, told by the shape of their words. Nothing is guessed: a container
// is one only if every word of its own is what it must be, and its nodes say the same of it, down
// to their number. libstdc++'s, and those of libc++ that look alike or have a shape as telling.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/snapshot/snapshot.h"

namespace heaprake::cli {

struct ContainerPart {
  uint32_t block;
  uint32_t link_bytes;  // so many bytes from its start are the container's, what follows is values
};

struct Container {
  const char* kind = "";  // "std::list", "std::map or set", which look alike
  const char* what = "";  // what the parts are: "nodes", "characters", "elements"
  const char* note = "";  // "std::_Rb_tree"
  uint32_t owner = 0;     // the block in which its own words stand
  uint32_t offset = 0;    // where they do
  uint32_t bytes = 0;     // of them
  uint64_t entries = 0;   // 0 where only the bytes are known
  uint64_t used = 0;      // bytes of values, where the number of entries is not known
  std::vector<ContainerPart> parts;
};

// "std::map of 1,000 entries (std::_Rb_tree)"; `kind` where more than its own is known of that.
std::string name_of(const Container& container, std::string_view kind = {});

// Those whose own words stand in the block, by offset; they do not overlap. Blocks that the program
// can reach are no parts.
std::vector<Container> containers_in(const Snapshot& snapshot, uint32_t block);

}  // namespace heaprake::cli
