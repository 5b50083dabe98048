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

// Calls visit(address) for each address that the word may be which stands at `at`. `block`: as
// for_each_disguised has it.
template <class Visit>
inline void for_each_meaning(const WordRule& rule, uint64_t word, uintptr_t at, uintptr_t block,
                             Visit visit) {
  visit(word & rule.keep);
  if (!rule.disguises) [[likely]]
    return;
  if (rule.alignment == 1 || at % sizeof word == 0)
    for_each_disguised(rule.disguises, word, at, block, visit);
}

}  // namespace heaprake::collector
