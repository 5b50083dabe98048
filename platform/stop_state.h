// The words that a stopping thread and the threads it stops share, and the order in which they
// change.
//
//   stop:    generation += 1;  flags |= kStopping;  membarrier;  read states, send signals
//   resume:  flags &= ~kStopping;  generation += 1;  wake all sleepers on generation
//
// So a thread that sees kStopping after it has read the generation may sleep until the generation
// moves: it cannot miss the resume.
#pragma once

#include <atomic>
#include <cstdint>

#include "platform/thread_record.h"

namespace heaprake::platform {

// Bits of heaprake_region_flags. Regions take their slow path while any is set.
inline constexpr uint32_t kStopping = 1;
inline constexpr uint32_t kNeedFence = 2;  // there is no membarrier: regions fence for themselves
inline constexpr uint32_t kIdleWork = 4;   // want_idle(true)

extern "C" std::atomic<uint32_t> heaprake_region_flags;

struct StopState {
  std::atomic<uint32_t> generation{0};
  // Counts answers to stop signals, late ones of earlier stops too: a futex word and a hint. What
  // counts is each record's `acknowledged`.
  std::atomic<uint32_t> answers{0};
  std::atomic<uint32_t> awaited{0};  // the handler that brings answers here wakes the stopper
  std::atomic<int> process{0};       // the process that all this belongs to; else a stale copy
  std::atomic<bool> foreign_sharer{false};
  std::atomic<int> vforks{0};  // threads whose stack a vfork child is running on
  // The shim's handler entries; lo is written last.
  std::atomic<uintptr_t> trusted_lo{0}, trusted_hi{0};
};
extern StopState stop_state;

inline bool stopping() {
  return (heaprake_region_flags.load(std::memory_order_acquire) & kStopping) != 0;
}

// Sleeps until the present stop is over. The caller's record says kSafe, or it has acknowledged.
void wait_for_resume();

// Out of a region, whoever runs next; parks meanwhile if the world is stopped. False if the thread
// was outside. `events` is added to the record's.
SavedRegion suspend_region(ThreadRecord* record, uint32_t events);
void restore_region(ThreadRecord* record, SavedRegion saved);

// The address of the stop signal's handler, as the kernel's table has it.
uintptr_t stop_handler_address();

// If the context was about to return from a system call with an EINTR that only our signal can have
// caused, makes it do the call again, or return what it would have. Only where that is possible.
bool repeat_interrupted_call(ThreadRecord* record, void* ucontext);

// At the end of the stop signal's handler: remembers that the interrupted call begins again, for
// let_handler_interrupt. `repeated`: only by repeat_interrupted_call.
void note_restart(ThreadRecord* record, const void* ucontext, bool repeated);

}  // namespace heaprake::platform
