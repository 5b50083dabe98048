// Noted blocks, as the allocator sees them: the byte that says how long one is stands aside, and
// what someone else knows of the block is dropped or follows when the program frees or moves it.
#pragma once

#include <cstdint>

#include "allocator/heap.h"

namespace heaprake::heap {

uint8_t noted_byte(size_t granule);
// The byte of the block at `granule` as it would be without a note; 0 if there is no block.
inline uint8_t plain_byte(size_t granule) {
  const uint8_t byte = geometry.map[granule];
  return byte == kNoted ? noted_byte(granule) : byte;
}
// While noted, the length that the block has from now on.
void set_noted_byte(size_t granule, uint8_t byte);
// The program frees the block: it is an ordinary one afterwards.
void drop_note(uintptr_t block);
// realloc has copied it, or changed its length if the two are the same. false: out of memory,
// everything is as before.
bool move_note(uintptr_t from, uintptr_t to);

}  // namespace heaprake::heap
