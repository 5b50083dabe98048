// Stacks of threads that have ended, which libc keeps for the next ones: nobody can reach anything
// through what lies there, but it would hold blocks for as long as the process lives.
//
// libc puts a thread's control block at the upper end of its stack, and calls the thread by that
// address. So every control block that there ever was is remembered; one that no living thread has,
// and that still looks like one, ends a dead stack. From there on lies what a thread that has not
// been joined returned; below it, its local storage, whose destructors have run, and its frames.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "collector/mapped_array.h"
#include "platform/platform.h"

namespace heaprake::collector {

class DeadStacks {
 public:
  // libc has made a thread with this control block. Any thread, any time; lock-free. When the table
  // is full the stack counts as memory like any other.
  void note_thread(uintptr_t tcb);

  // While the world is stopped: prepare() before a round of live_part(). false: out of memory.
  bool prepare();
  // Of a private, anonymous, writable mapping just above a guard page, without a living thread:
  // what may be in use, which is all of it unless it is a dead stack.
  platform::Range live_part(platform::Range mapping) const;

 private:
  static constexpr size_t kSlots = 4096;
  // Open addressing; a slot is written once.
  std::atomic<uintptr_t> slots_[kSlots] = {};
  MappedArray<uintptr_t> sorted_;
};

extern DeadStacks dead_stacks;

}  // namespace heaprake::collector
