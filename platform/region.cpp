// Safe regions, but for the fast path in region_call.S.
#include "platform/deferred_signals.h"
#include "platform/futex.h"
#include "platform/stop_signal.h"
#include "platform/stop_state.h"

namespace heaprake::platform {

extern "C" {
__attribute__((used)) std::atomic<uint32_t> heaprake_region_flags{0};
}
StopState stop_state;

namespace {

std::atomic<IdleHook> idle_hook{nullptr};

// A process that shares this memory (a vfork child) must not wait without end: it may be what the
// stopping thread waits for. A forked child that was never reset has a stale flag.
constexpr uint64_t kForeignPatienceNs = 10000000;
constexpr int kForeignPatience = 100;

void fence_if_needed() {
  if ((heaprake_region_flags.load(std::memory_order_relaxed) & kNeedFence) != 0) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
  } else {
    // membarrier on the stopping side makes this as good as a fence.
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
}

// Publishes kSafe; parks while the world is stopped.
void publish_safe(ThreadRecord* record) {
  record->state.store(kSafe, std::memory_order_release);
  fence_if_needed();
  if (stopping()) wait_for_resume();
}

// The way out: kRunning is visible before the flag is read, so that either the stopping thread sees
// a running thread or this thread sees the flag.
void publish_running(ThreadRecord* record) {
  for (;;) {
    record->state.store(kRunning, std::memory_order_relaxed);
    fence_if_needed();
    if (!stopping()) return;
    record->state.store(kSafe, std::memory_order_release);
    wait_for_resume();
    if (process_id() != stop_state.process.load(std::memory_order_relaxed)) {
      record->state.store(kRunning, std::memory_order_relaxed);
      return;
    }
  }
}

// Seen from `sp`. The stack may be gone by now: the program may have unmapped it.
bool handler_runs(const HandlerMark& mark, uintptr_t sp) {
  uintptr_t now = 0;
  return sp < mark.frame &&
         AddressSpace().read_guarded(&now, mark.frame, sizeof now) == sizeof now &&
         now == mark.return_address;
}

}  // namespace

void wait_for_resume() {
  const bool foreign = process_id() != stop_state.process.load(std::memory_order_relaxed);
  for (int tries = 0; !foreign || tries < kForeignPatience; ++tries) {
    const uint32_t generation = stop_state.generation.load(std::memory_order_acquire);
    if (!stopping()) return;
    futex_wait(&stop_state.generation, generation, foreign ? kForeignPatienceNs : 0);
  }
}

extern "C" {

__attribute__((used)) ThreadRecord* heaprake_region_first_use() {
  return own_record();
}

__attribute__((used)) void heaprake_region_entering(ThreadRecord* record) {
  publish_safe(record);
  if ((heaprake_region_flags.load(std::memory_order_relaxed) & kIdleWork) == 0) return;
  if (IdleHook hook = idle_hook.load(std::memory_order_acquire)) hook();
}

__attribute__((used)) void heaprake_region_leaving(ThreadRecord* record) {
  publish_running(record);
}

// Called by the unwinder for a heaprake_region_call frame that it is about to drop: the blocking
// call never returns, so the region ends here. Knows just enough of the unwinder's interface to
// need no library of the compiler's.
__attribute__((used)) int heaprake_region_personality(int, int actions, uint64_t, void*, void*) {
  constexpr int kCleanupPhase = 2;
  constexpr int kContinueUnwind = 8;
  ThreadRecord* record = heaprake_thread_record;
  if ((actions & kCleanupPhase) != 0 && record != nullptr) publish_running(record);
  return kContinueUnwind;
}

}  // extern "C"

bool interrupted_by_us_alone() {
  ThreadRecord* record = heaprake_thread_record;
  if (record == nullptr) return false;
  return record->events.exchange(0, std::memory_order_relaxed) == kInterruptedByUs;
}

SavedRegion suspend_region(ThreadRecord* record, uint32_t events) {
  record->events.fetch_or(events, std::memory_order_relaxed);
  const SavedRegion saved{record->sp.load(std::memory_order_relaxed),
                          record->state.load(std::memory_order_relaxed) == kSafe, false, false,
                          stop_state.process.load(std::memory_order_relaxed)};
  if (saved.inside) publish_running(record);
  return saved;
}

void restore_region(ThreadRecord* record, SavedRegion saved) {
  // After a fork in the handler the interrupted frame still works on the parent's record; in the
  // child it ends a region that was never entered, which is harmless.
  if (!saved.inside || saved.process != stop_state.process.load(std::memory_order_relaxed)) return;
  record->sp.store(saved.sp, std::memory_order_relaxed);
  publish_safe(record);
}

// Found by thread id in these two, not by %fs: handlers run also in threads that libc knows nothing
// of.
SavedRegion leave_region_for_handler(const uintptr_t* return_address, const void* ucontext) {
  ThreadRecord* record = make_record(thread_id());
  if (record == nullptr) return {};
  // What the handler blocks while it runs should not be blocked while it waits to run. Not where
  // the stop signal, which is blocked instead, may have to be answered.
  const bool inside = record->state.load(std::memory_order_relaxed) == kSafe;
  if (ucontext != nullptr && inside && stopping() && handlers_seem_trusted())
    wait_at_door(ucontext);
  SavedRegion saved = suspend_region(record, kInterruptedByProgram);
  const auto at = reinterpret_cast<uintptr_t>(return_address);
  HandlerMark& mark = saved.inside ? record->in_wait : record->in_code;
  if (!handler_runs(mark, at)) {
    mark = {at, *return_address};
    saved.outermost = true;
  }
  return saved;
}

bool may_have_interrupted_code(uintptr_t sp) {
  const ThreadRecord* record = find_record(thread_id());
  return record != nullptr && handler_runs(record->in_code, sp);
}

bool may_be_in_handler(uintptr_t sp) {
  const ThreadRecord* record = find_record(thread_id());
  return record != nullptr &&
         (handler_runs(record->in_code, sp) || handler_runs(record->in_wait, sp));
}

void reenter_region_after_handler(SavedRegion saved) {
  ThreadRecord* record = find_record(thread_id());
  if (record == nullptr) return;
  // Regions inside the handler have cleared the events; that a handler ran must not be forgotten.
  record->events.fetch_or(kInterruptedByProgram, std::memory_order_relaxed);
  if (saved.outermost) record->in_wait = {};
  restore_region(record, saved);
}

void set_idle_hook(IdleHook hook) {
  idle_hook.store(hook, std::memory_order_release);
}
void want_idle(bool wanted) {
  if (wanted) {
    heaprake_region_flags.fetch_or(kIdleWork, std::memory_order_relaxed);
  } else {
    heaprake_region_flags.fetch_and(~kIdleWork, std::memory_order_relaxed);
  }
}

void set_trusted_signal_entries(Range entries) {
  stop_state.trusted_hi.store(entries.hi, std::memory_order_relaxed);
  stop_state.trusted_lo.store(entries.lo, std::memory_order_release);
}

void enter_region(const StoppedThread& self) {
  ThreadRecord* record = own_record();
  if (record == nullptr) return;
  record->held_sp = self.sp;
  record->gs.store(self.gs, std::memory_order_relaxed);
  record->held_registers = self.registers;
  record->held_vectors = self.vectors;
  record->held_form = self.form;
  record->sp.store(self.sp, std::memory_order_relaxed);
  record->events.store(0, std::memory_order_relaxed);
  publish_safe(record);
}

void leave_region() {
  ThreadRecord* record = heaprake_thread_record;
  if (record == nullptr) return;
  publish_running(record);
  record->held_sp = 0;
}

}  // namespace heaprake::platform
