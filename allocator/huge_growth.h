// A large heap grows by huge pages: fewer page faults, and marking a heap in no order misses the
// TLB seldom. What the program gives back later returns in small pages.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heaprake::heap::huge_growth {

// Asks the system whether it leaves huge pages to programs; until then there are none. Once, before
// the first block exists.
void allow();
// Whether the huge page that holds a piece of the heap, never touched, should be made at once,
// `spare` bytes more than were asked for. Any thread.
bool is_worthwhile(size_t spare);
// Makes that page, which is committed. Any thread.
void make(uintptr_t page);
// Of the bytes that make's pages held to spare, so many are asked for now.
void note_asked_for(size_t bytes);

}  // namespace heaprake::heap::huge_growth
