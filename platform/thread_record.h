// What is known about one thread: a record by thread id, found in constant time and never freed.
//
// Whose word is it? A thread writes `state`, `events`, `sp` and the fields that say so; the one
// stopping thread writes the rest. A record outlives its thread and may serve the next one with the
// same id: that is safe because no thread ends with its state at kSafe, so that a record is
// kRunning until its new owner enters a region itself.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "platform/platform.h"

namespace heaprake::platform {

enum RegionState : uint32_t { kRunning = 0, kSafe = 1 };

// Bits of ThreadRecord::events.
inline constexpr uint32_t kInterruptedByUs = 1, kInterruptedByProgram = 2;

// Where a handler has its return address, and that address. The handler is running only while both
// are as they were and the stack pointer is below.
struct HandlerMark {
  uintptr_t frame, return_address;
};

struct alignas(64) ThreadRecord {
  // By its thread. region_call.S writes the first three at these offsets; entering a region stores
  // state and events at once.
  std::atomic<uint32_t> state;
  std::atomic<uint32_t> events;
  std::atomic<uintptr_t> sp;  // valid while state is kSafe; changes only while it is kRunning

  // By its thread before it first enters a region; altstack and gs also later.
  std::atomic<uintptr_t> tcb;
  std::atomic<uintptr_t> altstack;
  std::atomic<uintptr_t> gs;

  // By its thread, for enter_region: registers that are not on the stack above sp. They count only
  // while sp is still what it was then.
  uintptr_t held_sp;
  Range held_registers, held_vectors;
  StandForm held_form;

  // By its thread: the outermost of the program's handlers that interrupted code outside any
  // region, of which nobody says when it ends, and of those that interrupted a wait in one.
  HandlerMark in_code, in_wait;

  // By its thread in the stop signal's handler; `stopped` is whole once `acknowledged` has the
  // stop's generation.
  StoppedThread stopped;
  std::atomic<uint32_t> acknowledged;

  // By its thread's signal handlers: the system call instruction that the stop signal's handler
  // went back to, so that the call that it interrupted is made again; 0 after any other handler.
  // `restart_always`: a handler of the program's would have ended the call even with SA_RESTART.
  uintptr_t restart_at;
  bool restart_always;

  // By the stopping thread.
  uint32_t accounted;  // the last stop that has this thread on its list
  bool suspect;        // once did not answer: perhaps dead or the kernel's; look before signalling
};
static_assert(offsetof(ThreadRecord, state) == 0 && offsetof(ThreadRecord, events) == 4 &&
                  offsetof(ThreadRecord, sp) == 8,
              "region_call.S knows these offsets");

// The record of thread `tid`; nullptr if there is none yet. Any thread, any time.
ThreadRecord* find_record(int tid);
// The same, made if need be; nullptr when memory is out.
ThreadRecord* make_record(int tid);
// The calling thread's, made if need be. The first call of a thread asks the kernel for its facts.
ThreadRecord* own_record();
// In a forked child: every record but none of their memory is forgotten.
void forget_records();

// A seccomp filter forbids calls of ours: what was learnt before is used again. The calling
// thread's id, 0 if it had not been asked for.
extern std::atomic<bool> few_calls;
extern __thread int known_thread_id;

// The FS base, asked of the kernel: a thread may have none, and then %fs:0 faults.
uintptr_t thread_control_block();
uintptr_t alternate_stack();
uintptr_t gs_base();

// The calling thread's record once own_record has run, else nullptr. region_call.S reads it.
extern "C" thread_local ThreadRecord* heaprake_thread_record
    __attribute__((tls_model("initial-exec")));

}  // namespace heaprake::platform
