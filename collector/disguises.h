// Disguises: forms other than an address in which some runtimes are known to keep pointers, so that
// no word of the program's memory looks like one. Which of them to look for is told by the
// libraries that are loaded: each look makes the marker slower, and finds more that is not meant as
// one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/heap.h"

namespace heaprake::collector {

enum Disguise : uint8_t {
  // CPython's int: digits of 30 bits in 32-bit words. ctypes and many other modules keep handles
  // so.
  kDigits = 1,
  // A distance from the start of the block in which it stands: fontconfig's patterns and sets. See
  // RootSet::may_be_moving_distances.
  kDistance = 2,
  // Integers with tag bits below them: Ruby's and SBCL's (one bit), Chez Scheme's (three).
  kShifted1 = 4,
  kShifted3 = 8,
  // Plain addresses, but at any byte: MoarVM's compiler at run time packs its trees so.
  kUnaligned = 16,
  // A distance from where it stands itself, in a block: Berkeley DB's lists. Those from the start
  // of an entry then lead to the same place in another entry.
  kFromItself = 32,
};
using Disguises = uint8_t;  // Disguise bits

// The most words that one may be.
inline constexpr size_t kMostDisguises = 5;

// The largest block in which words count as distances: the marker reads larger ones in pieces.
inline constexpr size_t kMostDistanceBytes = 64 * 1024;
// Where the distances in a block count from; 0: its words count as none.
inline uintptr_t base_of_distances(const heap::Block& block) {
  return block.size <= kMostDistanceBytes ? block.address : 0;
}

inline constexpr unsigned kDigitBits = 30;

// Calls visit(address) for each address that the word may be. `at`: where it stands in the program;
// anything outside the heap if that is not known. `block`: base_of_distances of the one in which it
// stands, 0 if it stands in none.
template <class Visit>
inline void for_each_disguised(Disguises disguises, uint64_t word, uintptr_t at, uintptr_t block,
                               Visit visit) {
  constexpr uint64_t kDigit = (uint64_t{1} << kDigitBits) - 1;
  if (disguises & kDigits && !(word & ~(kDigit | kDigit << 32)))
    visit((word & kDigit) | word >> 32 << kDigitBits);
  if (disguises & kDistance && block && word) visit(block + word);
  if (disguises & kShifted1) visit(word >> 1);
  if (disguises & kShifted3) visit(word >> 3);
  if (disguises & kFromItself && word && word % sizeof word == 0 &&
      at - heap::geometry.base < heap::geometry.size)
    visit(at + word);
}

// Those that a file of this name brings when it is mapped as code, without its folders.
Disguises disguises_of(const char* file);
// Those of the program itself, whatever it is called.
Disguises disguises_of_program();

}  // namespace heaprake::collector
