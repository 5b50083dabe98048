// The ledger, mode hunt only: for every block who asked for it, in which thread, when, and how
// much.
//
// An entry is the last eight bytes of its block, behind what the program may use:
//
//   bit 63     62        58..61      32..57     18..31     0..17
//   [ 1 | ignored | unused bytes |  stack   |  thread  |  time   ]
//
// It is written before the block's byte in the map, so that whoever sees the block sees its entry.
// The highest bit keeps it from looking like an address. A program that writes just past what it
// asked for spoils its block's entry, the time first; nothing here trusts one.
//
// Stacks, threads and modules are numbered from 1 on; 0 is "unknown". What a number means never
// changes, so that all may be read at any time, by any thread; a stopped world is not needed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/heap.h"
#include "platform/modules.h"

namespace heaprake::heap::ledger {

struct Entry {
  uint32_t stack = 0;
  uint32_t thread = 0;
  uint64_t time_ms =
      0;  // since start; exact to 10 ms in the first minutes, to a part in 8,192 later
  size_t requested = 0;  // bytes asked for
  bool ignored = false;  // allocated while disabled, or handed to ignore()
};
// Of a recorded block. Without a ledger: nothing but `requested`, the block's size.
Entry entry_of(const Block& block);

// Whether there is a ledger, and how long it has been kept.
bool kept();
uint64_t now_ms();

// --- Stacks, each kept once. At most kMaxStacks: blocks of any further ones have stack 0, and
// their number is counted.
inline constexpr unsigned kStackBits = 26;
inline constexpr uint32_t kMaxStacks = (1u << kStackBits) - 1;
uint32_t stack_count();
uint64_t stacks_not_kept();

// The call that a frame made ends just before the address module base + offset (take one off before
// looking for its line). Without a module `offset` is that address.
struct Frame {
  uint32_t module = 0;
  uint64_t offset = 0;
};
// Innermost first. How many there are; none for a number that there is not, or that a thread was
// about to fill when it ended.
size_t frames_of(uint32_t stack, Frame* out, size_t capacity);

// --- Threads that have allocated. A thread's number is given to another one only when 16,383 are
// used up; blocks of the former then have thread 0.
struct Thread {
  int tid = 0;
  bool ended = false;
  uint64_t since_ms = 0;
  char name[16] = {};  // as of its end, or of the last refresh_threads
};
uint32_t thread_count();
Thread thread_at(uint32_t number);
// In a forked child the threads up to this number were the parent's, and so are their blocks, as
// long as the child has not resized them. 0: there are none, or too many to tell.
uint32_t inherited_threads();
// Right before a fork, by a thread that has no other beside it. A fork without this counts as one
// with others.
void note_alone_at_fork();
// Whether other threads than the forking one lived on in the parent, or may have. What only they
// knew of is nobody's in the child.
bool left_threads_behind();
// Looks up the names of all threads and which of them are gone. Opens files; not in a stopped world
// of which the caller must not hold descriptors.
void refresh_threads();

// --- Modules: everything that a frame ever pointed into (platform/modules.h).
inline uint32_t module_count() {
  return static_cast<uint32_t>(platform::module_count());
}
inline const platform::Module& module_at(uint32_t number) {
  return platform::module_at(number);
}

// --- Blocks that no report should name: those that the calling thread allocates between the two
// (they nest), and the one that contains p (false: there is none).
void disable();
void enable();
bool ignore(const void* p);
bool any_ignored();  // false: surely none

// A module has been closed: other code may come to its addresses.
void note_unloading();

}  // namespace heaprake::heap::ledger
