// sigaction and its older relatives: the kernel is given an entry of ours for every handler of the
// program's, and the program is given its own handler back. Everything here may run in a signal
// handler, in several threads at once, and in the child of a vfork.
#include "shim/signals.h"

#include <signal.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/export.h"
#include "shim/hunt_signals.h"
#include "shim/interposed.h"

using Handler = void (*)(int);

HEAPRAKE_NEXT(int(int, const struct sigaction*, struct sigaction*), sigaction);
HEAPRAKE_NEXT(int(int, const struct sigaction*, struct sigaction*), __sigaction);
HEAPRAKE_NEXT(Handler(int, Handler), signal);
HEAPRAKE_NEXT(Handler(int, Handler), ssignal);
HEAPRAKE_NEXT(Handler(int, Handler), bsd_signal);
HEAPRAKE_NEXT(Handler(int, Handler), sysv_signal);
HEAPRAKE_NEXT(Handler(int, Handler), __sysv_signal);
HEAPRAKE_NEXT(Handler(int, Handler), sigset);
HEAPRAKE_NEXT(int(const stack_t*, stack_t*), sigaltstack);
HEAPRAKE_NEXT(int(struct sigstack*, struct sigstack*), sigstack);

namespace heaprake::shim {
namespace {

constexpr size_t kEntries = 1024;
constexpr size_t kEntrySize = 16;
constexpr int kLastSignal = 64;

// SIG_DFL, SIG_IGN, SIG_HOLD and SIG_ERR are not addresses.
constexpr uintptr_t kLowestHandler = 4096;

}  // namespace

extern "C" {
__attribute__((visibility("hidden"))) extern char heaprake_signal_entries[];
// By entry: the program's handler. Zero, then written once and for ever; found by open addressing.
__attribute__((used, visibility("hidden"))) std::atomic<uintptr_t>
    heaprake_signal_handlers[kEntries];
}

namespace {

// A value that was sent with the signal is in the handler's hands now. Not a fault's address, nor a
// timer's value, which the timer keeps.
void note_arrival(int signal, const siginfo_t* info) {
  if (info->si_code >= 0 || info->si_code == SI_TIMER || info->si_code == SI_TKILL) return;
  if (!platform::handler_takes_info(signal)) return;
  collector::signal_arrived(reinterpret_cast<uintptr_t>(info->si_value.sival_ptr));
}

}  // namespace

// Not extern "C", which promises a type that C knows: the names are for the assembly.
__attribute__((visibility("hidden"))) platform::SavedRegion signal_leave_region(
    int, void*, const siginfo_t*) __asm__("heaprake_signal_leave_region");
__attribute__((visibility("hidden"))) void signal_reenter_region(platform::SavedRegion) __asm__(
    "heaprake_signal_reenter_region");
// `context` is the kernel's, or null: then `info` may be anything.
__attribute__((used)) platform::SavedRegion signal_leave_region(int signal, void* context,
                                                                const siginfo_t* info) {
  if (context && platform::defer_signal(signal, info, context)) {
    platform::SavedRegion nothing;
    nothing.deferred = true;
    return nothing;
  }
  if (context) platform::let_handler_interrupt(signal, context);
  // The kernel's frame begins with the return address; a call's is as good as any.
  const void* frame = context ? context : __builtin_frame_address(0);
  const platform::SavedRegion saved =
      platform::leave_region_for_handler(static_cast<const uintptr_t*>(frame) - 1, context);
  // Not before: of a thread inside a region the kernel's frame, where the value is, is not scanned.
  if (context && collector::heaprake_words_carried) note_arrival(signal, info);
  if (context) before_handler(signal, context);
  return saved;
}
__attribute__((used)) void signal_reenter_region(platform::SavedRegion saved) {
  platform::reenter_region_after_handler(saved);
}

namespace {

uintptr_t first_entry() {
  return reinterpret_cast<uintptr_t>(heaprake_signal_entries);
}

bool is_entry(uintptr_t address) {
  return address - first_entry() < kEntries * kEntrySize;
}

bool is_handler(uintptr_t address) {
  return address >= kLowestHandler && address != reinterpret_cast<uintptr_t>(SIG_ERR);
}

// The entry for a handler, made if there is none. A program with more handlers than entries has the
// rest called directly, which makes the platform room distrust safe regions.
uintptr_t entry_of(uintptr_t handler) {
  if (!is_handler(handler) || is_entry(handler)) return handler;
  const size_t hash = (handler * 0x9e3779b97f4a7c15) >> 54;
  for (size_t i = 0; i < kEntries; ++i) {
    const size_t index = (hash + i) % kEntries;
    uintptr_t known = 0;
    if (heaprake_signal_handlers[index].compare_exchange_strong(known, handler) ||
        known == handler) {
      return first_entry() + index * kEntrySize;
    }
  }
  return handler;
}

uintptr_t handler_of(uintptr_t entry) {
  if (!is_entry(entry)) return entry;
  return heaprake_signal_handlers[(entry - first_entry()) / kEntrySize].load();
}

// A signal that libc refuses, whatever else it is given.
bool is_refused(int signal) {
  return signal < 1 || signal > kLastSignal || signal == 32 || signal == 33;
}

// By signal: what the program has set where a handler stands in for SIG_DFL. Zero: as at start.
struct sigaction believed_default[kLastSignal + 1];

Handler with_stand_in(int signal, Handler handler) {
  return handler == SIG_DFL ? stand_in_for(signal) : handler;
}

// As the kernel delivers the signal: whether its handler serves once, or may interrupt itself.
bool is_once_or_nests(int signal, const struct sigaction& action) {
  if ((action.sa_flags & static_cast<int>(SA_RESETHAND)) != 0) return true;
  return (action.sa_flags & SA_NODEFER) != 0 && sigismember(&action.sa_mask, signal) == 0;
}

void note_action(int signal, uintptr_t entry, bool special) {
  if (!is_handler(entry)) {
    platform::note_action(signal, platform::NewAction::kNoHandler);
  } else if (is_entry(entry) && !special) {
    platform::note_action(signal, platform::NewAction::kPlainHandler);
  } else {
    platform::note_action(signal, platform::NewAction::kSpecialHandler);
  }
}

// What the kernel is given for the program's action.
struct sigaction kernels_action(int signal, const struct sigaction& action) {
  struct sigaction ours = action;
  const Handler handler = with_stand_in(signal, action.sa_handler);
  if (is_stand_in(handler)) {
    sigfillset(&ours.sa_mask);
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  }
  const uintptr_t entry = entry_of(reinterpret_cast<uintptr_t>(handler));
  note_action(signal, entry, is_once_or_nests(signal, ours));
  ours.sa_handler = reinterpret_cast<Handler>(entry);
  return ours;
}

int set_action(int (*next)(int, const struct sigaction*, struct sigaction*), int signal,
               const struct sigaction* action, struct sigaction* old) {
  if (is_refused(signal)) return next(signal, action, old);
  struct sigaction ours;
  struct sigaction believed = believed_default[signal];
  if (action) {
    ours = kernels_action(signal, *action);
    if (action->sa_handler == SIG_DFL) believed_default[signal] = *action;
    action = &ours;
  }
  const int result = next(signal, action, old);
  if (result == 0 && old) {
    old->sa_handler =
        reinterpret_cast<Handler>(handler_of(reinterpret_cast<uintptr_t>(old->sa_handler)));
    if (is_stand_in(old->sa_handler)) *old = believed;
  }
  return result;
}

// `special`: System V's handlers serve once, and may interrupt themselves.
Handler set_handler(Handler (*next)(int, Handler), int signal, Handler handler,
                    bool special = false) {
  const Handler ours = is_refused(signal) ? handler : with_stand_in(signal, handler);
  const uintptr_t entry = entry_of(reinterpret_cast<uintptr_t>(ours));
  if (!is_refused(signal)) note_action(signal, entry, special);
  const auto old = reinterpret_cast<uintptr_t>(next(signal, reinterpret_cast<Handler>(entry)));
  const auto shown = reinterpret_cast<Handler>(handler_of(old));
  return is_stand_in(shown) ? SIG_DFL : shown;
}

void note_altstack() {
  const int kept_errno = errno;
  stack_t now;
  if (heaprake_next_sigaltstack(nullptr, &now) == 0) {
    platform::note_altstack(
        (now.ss_flags & SS_DISABLE) != 0 ? 0 : reinterpret_cast<uintptr_t>(now.ss_sp));
  }
  errno = kept_errno;
}

}  // namespace

void start_signals() {
  platform::set_trusted_signal_entries({first_entry(), first_entry() + kEntries * kEntrySize});
}

void stand_in_if_default(int signal) {
  struct sigaction now;
  if (is_refused(signal) || heaprake_next_sigaction(signal, nullptr, &now) != 0 ||
      now.sa_handler != SIG_DFL)
    return;
  believed_default[signal] = now;
  now = kernels_action(signal, now);
  heaprake_next_sigaction(signal, &now, nullptr);
}

HEAPRAKE_EXPORT int sigaction(int signal, const struct sigaction* action,
                              struct sigaction* old) noexcept {
  return set_action(heaprake_next_sigaction, signal, action, old);
}
HEAPRAKE_EXPORT int __sigaction(int signal, const struct sigaction* action,
                                struct sigaction* old) noexcept {
  return set_action(heaprake_next___sigaction, signal, action, old);
}

HEAPRAKE_EXPORT Handler signal(int signal, Handler handler) noexcept {
  return set_handler(heaprake_next_signal, signal, handler);
}
HEAPRAKE_EXPORT Handler ssignal(int signal, Handler handler) noexcept {
  return set_handler(heaprake_next_ssignal, signal, handler);
}
HEAPRAKE_EXPORT Handler bsd_signal(int signal, Handler handler) noexcept {
  return set_handler(heaprake_next_bsd_signal, signal, handler);
}
HEAPRAKE_EXPORT Handler sysv_signal(int signal, Handler handler) noexcept {
  return set_handler(heaprake_next_sysv_signal, signal, handler, true);
}
HEAPRAKE_EXPORT Handler __sysv_signal(int signal, Handler handler) noexcept {
  return set_handler(heaprake_next___sysv_signal, signal, handler, true);
}
HEAPRAKE_EXPORT Handler sigset(int signal, Handler handler) noexcept {
  return set_handler(heaprake_next_sigset, signal, handler);
}

HEAPRAKE_EXPORT int sigaltstack(const stack_t* stack, stack_t* old) noexcept {
  const int result = heaprake_next_sigaltstack(stack, old);
  if (result == 0 && stack) note_altstack();
  return result;
}
HEAPRAKE_EXPORT int sigstack(struct sigstack* stack, struct sigstack* old) noexcept {
  const int result = heaprake_next_sigstack(stack, old);
  if (result == 0 && stack) note_altstack();
  return result;
}

}  // namespace heaprake::shim
