// Reading a call stack whose extent nobody tells: a word is read only from pages that are known to
// be readable.
//
//   the thread's own stack   known once, up to its end: nothing unmaps it while the thread runs
//   any other stack          (coroutines, alternate signal stacks) asked anew for every page of
//                            every walk, since it may be gone by the next
#pragma once

#include <cstdint>

#include "platform/platform.h"

namespace heaprake::platform {

// Asks the kernel, at the cost of one system call. Under a filter that forbids it: no.
bool is_readable(uintptr_t address);

// The part of a thread's own stack that is known to be there. Used by that thread alone.
class OwnStack {
 public:
  // Whether sp is in it, after looking further down (or for the first time) if need be. Then
  // everything from sp to end() may be read.
  bool covers(uintptr_t sp) {
    if (sp - known_.lo < known_.hi - known_.lo) return true;
    return look(sp);
  }
  uintptr_t end() const { return known_.hi; }

 private:
  bool look(uintptr_t sp);
  bool reaches(uintptr_t sp, uintptr_t end) const;

  Range known_;
  Range foreign_;        // another stack, found not to be a part of this one
  unsigned misses_ = 0;  // looks in vain for the first part
};

// What one walk may read. Addresses only grow.
class StackReader {
 public:
  // Begins a walk at sp, which lies in a readable page.
  void start(OwnStack& own, uintptr_t sp) {
    own_ = own.covers(sp);
    readable_ = {sp, own_ ? own.end() : (sp | (kPageSize - 1)) + 1};
  }
  // Everything read since start was on the thread's own stack.
  bool on_own_stack() const { return own_; }

  bool read(uintptr_t address, uintptr_t* word) {
    if (address - readable_.lo >= readable_.size() || readable_.hi - address < sizeof *word) {
      if (!extend_to(address)) return false;
    }
    *word = *reinterpret_cast<const uintptr_t*>(address);
    return true;
  }

 private:
  bool extend_to(uintptr_t address);

  Range readable_;
  bool own_ = false;
};

}  // namespace heaprake::platform
