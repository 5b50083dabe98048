#include "platform/deferred_signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/auxv.h>
#include <ucontext.h>

#include <atomic>

#include "platform/futex.h"
#include "platform/inherited_filter.h"
#include "platform/main_status.h"
#include "platform/own_stack.h"
#include "platform/sigaction.h"
#include "platform/stop_signal.h"
#include "platform/stop_state.h"
#include "platform/taken_signals.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

namespace heaprake::platform {

std::atomic<uint32_t> sys::put_off{0};

namespace {

// Faults are never somebody else's, and the two of libc's have no handler of the program's.
constexpr uint64_t kNeverTaken = signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGFPE) |
                                 signal_bit(SIGILL) | signal_bit(SIGTRAP) | signal_bit(SIGSYS) |
                                 signal_bit(32) | signal_bit(33);

// What the work itself may need of the stack; the rest is for the frames of signals.
constexpr size_t kSessionNeeds = 256 * 1024;
constexpr size_t kWaitNeeds = 16 * 1024;

// Signals for which the program has ever had a handler, and those for which it has ever had one
// that cannot be put off: see NewAction.
std::atomic<uint64_t> handled{0}, special{0};
std::atomic<bool> first_noted{false}, has_threads{false}, forbidden{false};
size_t frame_bytes;  // that a signal takes of the stack; set before has_threads

// Odd while the main thread takes signals. Written by it alone; `awaited`: somebody sleeps on it.
std::atomic<uint32_t> deferral{0};
std::atomic<bool> awaited{false};
std::atomic<bool> resume_waits{false};  // for a signal to be put off: see let_main_take_first
// Those that it takes (all, as long as that is not decided), and those of them whose handler is
// told more than the number.
std::atomic<uint64_t> open_now{0}, told{0};
// Those that it has sent to itself again, and whose handlers have not been seen to begin since.
std::atomic<uint64_t> sent_again{0};

// What the main thread is known to take in the present stop, and what is pending for the stopping
// thread alone.
std::atomic<uint64_t> main_takes{0}, callers_own{0};

// How often, and how long, another thread waits for the main thread to take what it shall have.
constexpr int kTries = 10;
constexpr uint64_t kPauseNs = 500000;

SignalMask blocked_in(const void* ucontext) {
  SignalMask mask;
  __builtin_memcpy(&mask.bits, &static_cast<const ucontext_t*>(ucontext)->uc_sigmask,
                   sizeof mask.bits);
  return mask;
}

int this_process() {
  return stop_state.process.load(std::memory_order_relaxed);
}

bool is_main_thread() {
  return thread_id() == this_process();
}

bool is_deferring() {
  return deferral.load() % 2 != 0;
}

// In another thread, after what the next deferral is to see: until one that takes any of `signals`
// has ended. It ends: the main thread waits for nothing then that the program may hold, and the
// caller may be stopped. Nor does the caller hold the lock of collections, with which one begins.
void wait_for_present_deferral(uint64_t signals) {
  const uint32_t now = deferral.load();
  while (now % 2 != 0 && deferral.load() == now && (open_now.load() & signals) != 0) {
    awaited.store(true);
    futex_wait(&deferral, now);
  }
}

// Asked once, with a signal that is none: a filter that nobody could look at may forbid it.
bool may_send_to_self() {
  static std::atomic<bool> known{false};
  if (known.load(std::memory_order_relaxed)) return true;
  const int self = this_process();
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  if (sys::failed(sys::call(SYS_rt_tgsigqueueinfo, self, self, 0, &info))) {
    forbid_deferring();
    return false;
  }
  known.store(true, std::memory_order_relaxed);
  return true;
}

// Decides what the main thread, which blocks `blocked`, takes on a stack with so much room. The
// kernel may lay out the frames of all that is pending before the first handler begins, but no
// second one of the same signal unless its handler lets it nest.
uint64_t signals_to_take(uint64_t blocked, size_t room) {
  const uintptr_t lo = stop_state.trusted_lo.load(std::memory_order_acquire);
  const Range trusted{lo, lo == 0 ? 0 : stop_state.trusted_hi.load(std::memory_order_relaxed)};
  uint64_t found = 0, with_info = 0;
  uint64_t left = handled.load() & ~special.load() & ~blocked & ~kNeverTaken;
  if (taken_signals::are_nearly_full()) left &= kStandardSignals;
  for (; left != 0 && room >= frame_bytes; left &= left - 1) {
    const int signal = __builtin_ctzll(left) + 1;
    KernelSigaction action{};
    if (!get_action(signal, &action) || !trusted.contains(action.handler)) continue;
    if ((action.flags & SA_RESETHAND) != 0 || may_nest(action, signal)) continue;
    found |= signal_bit(signal);
    if ((action.flags & SA_SIGINFO) != 0) with_info |= signal_bit(signal);
    room -= frame_bytes;
  }
  told.store(with_info);
  main_takes.store(found);
  open_now.store(found);
  return found;
}

void begin_deferral() {
  open_now.store(~uint64_t{0});
  deferral.fetch_add(1);  // before the look at what is special: see note_action
}

void end_deferral() {
  deferral.fetch_add(1);
  if (awaited.exchange(false)) futex_wake(&deferral, INT32_MAX);
}

// No handler may begin on the alternate stack, where frames may lie that the kernel takes for dead,
// since the stack pointer is elsewhere.
bool put_alternate_stack_away(stack_t* old) {
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  return !sys::failed(sys::call(SYS_sigaltstack, &none, old));
}

// Called by the signals themselves.
void take(int signal, const siginfo_t* info, ucontext_t* context) {
  sys::put_off.fetch_add(1);
  if (resume_waits.exchange(false)) futex_wake(&sys::put_off, 1);
  // Asked again, as another thread may have changed it.
  const bool is_told = (told.load() & signal_bit(signal)) != 0 && info->si_signo == signal &&
                       handler_takes_info(signal);
  if (taken_signals::add(signal, is_told ? info : nullptr)) return;
  const uint64_t mask = blocked_in(context).bits | ~kStandardSignals;
  __builtin_memcpy(&context->uc_sigmask, &mask, sizeof mask);
}

// All signals are blocked.
void send_taken() {
  sent_again.fetch_or(taken_signals::send(this_process()));
}

void send_left_over() {
  const SignalMask mask = block_signals();
  send_taken();
  restore_signals(mask);
}

// For the calling thread: those of the process, and its own.
uint64_t pending_for_handlers() {
  uint64_t pending = 0;
  sys::call(SYS_rt_sigpending, &pending, sizeof pending);
  return pending & handled.load() & ~kNeverTaken;
}

// Whether it matters at all who blocks a signal.
bool is_on() {
  return has_threads.load(std::memory_order_relaxed) &&
         !forbidden.load(std::memory_order_relaxed) && handled.load() != 0 && !is_quiet();
}

bool is_worth_while() {
  return is_on() && !is_deferring() && is_main_thread();
}

// With all signals blocked; `blocked`: by the program.
void run_with_open_mask(uint64_t blocked, size_t room, FunctionRef<void()> work) {
  begin_deferral();
  const uint64_t open = signals_to_take(blocked, room);
  stack_t alternate{};
  if (open == 0 || !may_send_to_self() || !put_alternate_stack_away(&alternate)) {
    end_deferral();
    return work();
  }
  restore_signals({~open});
  work();
  block_signals();
  send_taken();
  if ((alternate.ss_flags & SS_DISABLE) == 0) sys::call(SYS_sigaltstack, &alternate, nullptr);
  end_deferral();
}

size_t room_here(const SeparateStack& stack, size_t needed) {
  const size_t room = stack.room_below(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)));
  return room > needed ? room - needed : 0;
}

// The kernel's frame, below a red zone and aligned, and what our entry needs on top of it.
size_t bytes_for_deferred() {
  constexpr size_t kOwnUse = 4096;
  const int kept_errno = errno;
  const size_t kernels = getauxval(AT_MINSIGSTKSZ);  // not before Linux 5.14
  errno = kept_errno;
  const size_t guessed = bytes_for_handler();
  return (kernels > guessed ? kernels : guessed) + kOwnUse;
}

}  // namespace

bool sys::was_put_off_since(uint32_t count) {
  return put_off.load() != count && defers_signals();
}

bool defers_signals() {
  return is_deferring() && is_main_thread();
}

void note_first_thread() {
  if (first_noted.exchange(true)) return;
  frame_bytes = bytes_for_deferred();
  if (waiting_stack.make()) has_threads.store(true);
}

bool has_had_threads() {
  return first_noted.load(std::memory_order_relaxed);
}

// Either a deferral sees what is special, or this sees the deferral and waits for its end. The
// handlers come later: one of them may wait for the caller, with the signal blocked.
void note_action(int signal, NewAction action) {
  const uint64_t bit = signal_bit(signal);
  if (action == NewAction::kPlainHandler) {
    if ((handled.load(std::memory_order_relaxed) & bit) == 0) handled.fetch_or(bit);
    return;
  }
  // The child of a vfork has a table of its own.
  if (process_id() != this_process()) return;
  if (action == NewAction::kSpecialHandler) special.fetch_or(bit);
  if (is_main_thread()) return;
  wait_for_present_deferral(bit);
  for (int i = 0; i < kTries && (sent_again.load() & bit) != 0; ++i) nap(kPauseNs);
  sent_again.fetch_and(~bit);
}

bool defer_signal(int signal, const void* info, void* ucontext) {
  const uint64_t bit = signal_bit(signal);
  const bool defers = is_deferring();
  const bool is_awaited = taken_signals::count() != 0 || (sent_again.load() & bit) != 0;
  if ((!defers && !is_awaited) || !is_main_thread()) return false;
  if (defers) {
    take(signal, static_cast<const siginfo_t*>(info), static_cast<ucontext_t*>(ucontext));
    return true;
  }
  sent_again.fetch_and(~bit);
  if (taken_signals::count() != 0) send_left_over();
  return false;
}

void run_deferring(SignalMask programs, FunctionRef<void()> work) {
  const size_t room = room_here(session_stack, kSessionNeeds);
  // The record asks for the alternate stack, which is put away.
  if (room == 0 || !is_worth_while() || own_record() == nullptr) return work();
  run_with_open_mask(programs.bits, room, work);
}

void wait_deferring(const void* ucontext, FunctionRef<void()> wait) {
  if (!is_worth_while()) return wait();
  struct Wait {
    uint64_t blocked;
    FunctionRef<void()>& wait;
  } given{blocked_in(ucontext).bits, wait};
  waiting_stack.run(
      [](void* arg) {
        const auto* given = static_cast<const Wait*>(arg);
        run_with_open_mask(given->blocked, room_here(waiting_stack, kWaitNeeds), given->wait);
      },
      &given);
}

// Blocked already where the stack is changed: what interrupts that would change to the same stack.
void wait_at_door(const void* ucontext) {
  if (!is_worth_while()) return;
  const SignalMask mask = block_signals();
  wait_deferring(ucontext, [] { wait_for_resume(); });
  restore_signals(mask);
}

void let_main_take_first() {
  if (!is_on() || is_main_thread()) return;
  for (int i = 0; i < kTries; ++i) {
    const uint32_t count = sys::put_off.load();
    const uint64_t pending = pending_for_handlers();
    MainStatus main;
    if (pending == 0 || !read_main_status(&main)) return;
    main_takes.store(main.is_able ? ~main.blocked : 0);
    callers_own.store(pending & ~main.pending);
    if ((pending & main.pending & main_takes.load()) == 0) return;
    resume_waits.store(true);
    futex_wait(&sys::put_off, count, kPauseNs);
  }
}

void leave_signals_to_main(SignalMask programs) {
  if (!is_on() || is_main_thread()) return;
  const uint64_t mains = main_takes.exchange(0) & ~callers_own.exchange(0) & ~programs.bits;
  for (int i = 0; i < kTries && (pending_for_handlers() & mains) != 0; ++i) nap(kPauseNs);
}

void forbid_deferring() {
  forbidden.store(true);
  if (!is_main_thread() && process_id() == this_process()) wait_for_present_deferral(~uint64_t{0});
}

// The parent's signals are the parent's.
void forget_deferred_after_fork() {
  deferral.store(0);
  awaited.store(false);
  sent_again.store(0);
  main_takes.store(0);
  taken_signals::forget();
}

}  // namespace heaprake::platform
