#include "platform/stop_signal.h"

#include <cpuid.h>
#include <signal.h>
#include <ucontext.h>

#include "heaprake/protocol.h"
#include "platform/deferred_signals.h"
#include "platform/futex.h"
#include "platform/sigaction.h"
#include "platform/stop_state.h"

namespace heaprake::platform {

extern "C" void heaprake_signal_return();

namespace {

constexpr uint64_t kStopTag = 0x4853;  // "HS"; a command's requests carry HEAPRAKE_COOKIE_TAG
constexpr int kTagShift = 48;
constexpr int kLibcCancelSignal = 32;
constexpr int kLastSignal = 64;
constexpr long kNoSuchProcess = -3;

// The handler that was there before ours (libc's, for setuid in a threaded program), to which
// signals that are not ours are passed on.
std::atomic<uintptr_t> previous_handler{0};
std::atomic<uint64_t> previous_flags{0};
std::atomic<RequestHandler> request_handler{nullptr};
std::atomic<bool> alternate_stack_too_small{false};
std::atomic<bool> undirected_forbidden{false};
std::atomic<bool> distrusted{false};  // once a handler that is no trusted entry has been seen
// The last stop that sent the signal to the process, 0 if none ever did. Such a signal may also be
// taken after its stop.
std::atomic<uint32_t> undirected_stop{0};

uint64_t stop_cookie(uint32_t generation) {
  return kStopTag << kTagShift | generation;
}

// What the kernel's default does with a real-time signal: it ends the process.
void take_default_action() {
  const KernelSigaction standard{};
  set_action(HEAPRAKE_SIGNAL, standard);
  sys::call(SYS_tgkill, process_id(), thread_id(), HEAPRAKE_SIGNAL);
  restore_signals({~signal_bit(HEAPRAKE_SIGNAL)});
}

void pass_on(int signal, siginfo_t* info, void* context) {
  const uintptr_t handler = previous_handler.load(std::memory_order_acquire);
  if (handler == reinterpret_cast<uintptr_t>(SIG_IGN)) return;
  if (handler == reinterpret_cast<uintptr_t>(SIG_DFL)) return take_default_action();
  if ((previous_flags.load(std::memory_order_relaxed) & SA_SIGINFO) != 0) {
    reinterpret_cast<void (*)(int, siginfo_t*, void*)>(handler)(signal, info, context);
  } else {
    reinterpret_cast<void (*)(int)>(handler)(signal);
  }
}

// Tells the stopping thread where everything is, and stands still until the stop is over.
void stand_still(ThreadRecord* record, uint32_t generation) {
  // A stop that is given up just now finds an answer of its own generation, or none: never a wrong
  // one.
  record->acknowledged.store(generation, std::memory_order_release);
  const uint32_t answers = stop_state.answers.fetch_add(1) + 1;
  if (static_cast<int32_t>(answers - stop_state.awaited.load()) >= 0)
    futex_wake(&stop_state.answers, 1);
  while (stop_state.generation.load(std::memory_order_acquire) == generation)
    futex_wait(&stop_state.generation, generation);
}

void serve_stop(ThreadRecord* record, uint32_t generation, const void* context) {
  if (!stopping() || stop_state.generation.load(std::memory_order_acquire) != generation) return;
  record->stopped = thread_of_ucontext(context);
  wait_deferring(context, [&] { stand_still(record, generation); });
}

// The stop signal is blocked here: stands still as a waiter does, before touching anything.
void stand_aside(const ThreadRecord* record, const void* context) {
  if (record->state.load(std::memory_order_relaxed) == kSafe)
    return wait_deferring(context, [] { wait_for_resume(); });
  const StoppedThread self = thread_of_ucontext(context);
  own_record();  // asks for the alternate stack, which is put away then
  wait_deferring(context, [&] {
    enter_region(self);
    leave_region();
  });
}

void serve_request(ThreadRecord* record, uint64_t cookie, const void* context) {
  const RequestHandler handler = request_handler.load(std::memory_order_acquire);
  if (handler == nullptr) return;
  if (stopping()) stand_aside(record, context);
  const SavedRegion saved = suspend_region(record, 0);
  const bool may_free = saved.inside && !may_have_interrupted_code(thread_of_ucontext(context).sp);
  handler(cookie, context, may_free);
  restore_region(record, saved);
}

// kill's, as the kernel describes it when there is no room for a description, and when there is.
bool is_undirected(const siginfo_t& info) {
  return info.si_code == SI_USER && undirected_stop.load(std::memory_order_acquire) != 0 &&
         (info.si_pid == 0 || info.si_pid == stop_state.process.load(std::memory_order_relaxed));
}

void handle(int signal, siginfo_t* info, void* context) {
  const bool undirected = is_undirected(*info);
  const uint64_t cookie = undirected ? stop_cookie(undirected_stop.load())
                                     : reinterpret_cast<uint64_t>(info->si_value.sival_ptr);
  const uint64_t tag = cookie >> kTagShift;
  const bool ours =
      undirected || (info->si_code == SI_QUEUE && (tag == kStopTag || tag == HEAPRAKE_COOKIE_TAG));
  if (!ours) return pass_on(signal, info, context);
  // Found by thread id, not by %fs: the signal reaches threads that libc knows nothing of.
  ThreadRecord* record = make_record(thread_id());
  if (record == nullptr) return;
  if (tag == kStopTag) {
    serve_stop(record, static_cast<uint32_t>(cookie), context);
  } else {
    serve_request(record, cookie, context);
  }
  // A call that will not return early needs no excuse afterwards.
  const bool repeated = repeat_interrupted_call(record, context);
  if (!repeated) record->events.fetch_or(kInterruptedByUs, std::memory_order_relaxed);
  note_restart(record, context, repeated);
}

}  // namespace

// The signal's frame and the handler: the vector state as the processor saves it, the rest of the
// kernel's frame (under 640 bytes), and the handler's own use (under 1 KiB).
size_t bytes_for_handler() {
  constexpr unsigned kExtendedStateLeaf = 0xd;
  constexpr size_t kLargestKnown = 2816, kRest = 640 + 1024;
  unsigned a, enabled_bytes, c, d;
  if (__get_cpuid_count(kExtendedStateLeaf, 0, &a, &enabled_bytes, &c, &d) == 0)
    return kLargestKnown + kRest;
  return enabled_bytes + kRest;
}

uintptr_t stop_handler_address() {
  return reinterpret_cast<uintptr_t>(&handle);
}

void install_stop_signal() {
  KernelSigaction old{};
  if (!get_action(HEAPRAKE_SIGNAL, &old)) return;
  // Unless told otherwise: coroutines may have stacks too small for any handler.
  const uint64_t on_stack = alternate_stack_too_small.load() ? 0 : SA_ONSTACK;
  const KernelSigaction ours{stop_handler_address(),
                             SA_SIGINFO | SA_RESTART | kSaRestorer | on_stack,
                             reinterpret_cast<uintptr_t>(&heaprake_signal_return), ~uint64_t{0}};
  if (old.handler == ours.handler && old.flags == ours.flags) return;
  if (old.handler != ours.handler) {
    previous_flags.store(old.flags, std::memory_order_relaxed);
    previous_handler.store(old.handler, std::memory_order_release);
  }
  set_action(HEAPRAKE_SIGNAL, ours);
}

void allow_for_alternate_stack(size_t bytes) {
  if (alternate_stack_too_small.load() || bytes >= bytes_for_handler()) return;
  alternate_stack_too_small.store(true);
  KernelSigaction now{};
  if (get_action(HEAPRAKE_SIGNAL, &now) && now.handler == stop_handler_address())
    install_stop_signal();
}

void set_request_handler(RequestHandler handler) {
  request_handler.store(handler, std::memory_order_release);
}

Sent send_stop_signal(int process, int tid, uint32_t generation) {
  siginfo_t info{};
  info.si_signo = HEAPRAKE_SIGNAL;
  info.si_code = SI_QUEUE;
  info.si_pid = process;
  info.si_value.sival_ptr = reinterpret_cast<void*>(stop_cookie(generation));
  const long result = sys::call(SYS_rt_tgsigqueueinfo, process, tid, HEAPRAKE_SIGNAL, &info);
  if (!sys::failed(result)) return Sent::kYes;
  return result == kNoSuchProcess ? Sent::kNoSuchThread : Sent::kRefused;
}

bool send_undirected_stop_signal(int process, uint32_t generation) {
  if (undirected_forbidden.load(std::memory_order_relaxed)) return false;
  undirected_stop.store(generation, std::memory_order_release);
  return !sys::failed(sys::call(SYS_kill, process, HEAPRAKE_SIGNAL));
}

void forbid_undirected_stop_signals() {
  undirected_forbidden.store(true, std::memory_order_relaxed);
}

bool handlers_seem_trusted() {
  return !distrusted.load(std::memory_order_relaxed);
}

bool handlers_are_trusted() {
  if (distrusted.load(std::memory_order_relaxed)) return false;
  const uintptr_t lo = stop_state.trusted_lo.load(std::memory_order_acquire);
  const Range trusted{lo, lo == 0 ? 0 : stop_state.trusted_hi.load(std::memory_order_relaxed)};
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP || signal == kLibcCancelSignal ||
        signal == HEAPRAKE_SIGNAL)
      continue;
    KernelSigaction action{};
    if (!get_action(signal, &action)) continue;
    if (action.handler <= reinterpret_cast<uintptr_t>(SIG_IGN) || trusted.contains(action.handler))
      continue;
    distrusted.store(true, std::memory_order_relaxed);
    return false;
  }
  return true;
}

}  // namespace heaprake::platform
