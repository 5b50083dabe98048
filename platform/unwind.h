// The call stack of the calling thread, through code that was compiled without frame pointers.
//
// A frame is told by its return address, with the module's number in front (modules.h):
//     bits 48..63  module, 0: none      bits 0..47  the address less the module's base
// The call itself lies just before that address. A frame that a signal interrupted made no call: it
// is given as if the instruction before had, one byte on, so that "just before" is right for it,
// too.
//
// No lock (but for a module that is met for the first time), no memory, no call that would. Safe in
// signal handlers, on any stack; never reads what might not be readable.
#pragma once

#include <cstddef>
#include <cstdint>

#include "platform/guarded_stack.h"
#include "platform/platform.h"

namespace heaprake::platform {

inline constexpr size_t kMaxFrames = 64;
inline constexpr unsigned kFrameModuleShift = 48;

// A place in a function, by what a call that it makes leaves behind.
struct CallSite {
  uintptr_t pc = 0;  // the return address
  uintptr_t sp = 0;  // the stack pointer after the return
  uintptr_t bp = 0;
};

// The words on the stack that a walk has gone by: as long as these, and the place where it began,
// are the same, another walk would find the same frames.
struct WalkedWords {
  static constexpr size_t kMax = 2 * kMaxFrames;
  bool whole = false;     // all of them, and all on the thread's own stack
  bool needs_bp = false;  // the first place's rbp counts as well
  uint32_t count = 0;
  uint32_t offset[kMax];  // from the first place's sp on, in bytes
  uintptr_t value[kMax];
};

// Once, before the first walk. false: memory is out, and a walk finds nothing but its beginning.
// Frames of code in `own` are left out.
bool start_unwinding(Range own);

// Walks outwards from `site`, whose sp lies in a readable page; returns how many frames there are
// in `frames`, at most `capacity`.
size_t unwind(const CallSite& site, OwnStack& own_stack, uint64_t* frames, size_t capacity,
              WalkedWords* words);

// Where a thread that stands still is.
CallSite site_of_stopped(const StoppedThread& thread);

// The same for any thread that stands still: every caller in turn, whose return address stands just
// below its sp (but for one that a signal interrupted). true: the outermost frame was reached.
bool for_each_caller(const CallSite& site, FunctionRef<void(const CallSite& caller)> visit);

// Whether a call instruction ends there: e8 and four bytes, or ff /2 with an operand of one to six.
bool is_behind_call(uintptr_t pc);

// Code may have been unmapped, so that other code may come to the same addresses.
void forget_unwind_rules();
// Grows by one with each of these.
uint32_t unwind_generation();

void reset_unwinding_after_fork();

}  // namespace heaprake::platform
