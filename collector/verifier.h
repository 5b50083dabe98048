// The verifier: marks once more, naively: one word at a time, heap::find_block for every word, a
// plain stack, a set of its own. Whatever it reaches and the marker did not is named together with
// the place that refers to it, and is marked, so that it survives.
//
// With the marker it shares the list of roots (RootSet: ranges, words, protected blocks), the kept
// blocks, and how a word is read (WordRule): a root that is not on the list is missed by both, and
// only mode oracle finds that. Filter, resolution, queues, parallel work and the marks themselves
// are what it proves.
#pragma once

#include "collector/mark_bits.h"
#include "collector/roots.h"
#include "collector/word_rule.h"

namespace heaprake::collector {

struct Miss {
  heap::Block block;
  heap::Block parent;  // empty: a root holds the reference
  uintptr_t at;        // address of the word
};

// While the world is stopped, after mark(). report is called for each miss and must not allocate.
// Returns the number of misses; SIZE_MAX when it ran out of memory, in which case nothing was
// proved.
size_t verify_marks(const RootSet& roots, const platform::AddressSpace& space, WordRule rule,
                    MarkBits& bits, platform::FunctionRef<void(const Miss&)> report);

}  // namespace heaprake::collector
