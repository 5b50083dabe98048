// Which words count as references.
#pragma once

#include <cstdint>

namespace heaprake::collector {

struct WordRule {
  unsigned alignment;  // of a word's address: 1, 4 or 8
  // Of a word, the bits that are the address: the others are tags of the program's (option tags).
  uint64_t keep = ~uint64_t{0};
};

}  // namespace heaprake::collector
