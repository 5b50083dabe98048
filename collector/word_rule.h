// Which words count as references.
#pragma once

#include <cstdint>

#include "collector/disguises.h"

namespace heaprake::collector {

struct WordRule {
  unsigned alignment;  // of a word's address: 1, 4 or 8
  // Of a word, the bits that are the address: the others are tags of the program's (option tags).
  uint64_t keep = ~uint64_t{0};
  // Words at 8-byte boundaries (at every byte with alignment 1) count in these forms too.
  Disguises disguises = 0;
};

}  // namespace heaprake::collector
