// syscall() with a number that waits, gives the kernel an address to keep, or installs a seccomp
// filter: language runtimes call futex this way, some also epoll.
#include <linux/close_range.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include <cerrno>

#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/blocking.h"
#include "shim/seccomp.h"

HEAPRAKE_NEXT(long(long, ...), syscall);

namespace heaprake::shim {
namespace {

enum Kind : uint8_t { kOther, kHandled, kMakesProcess };  // kHandled: waits or gives an address
constexpr size_t kNumbers = 512;
struct Kinds {
  Kind of[kNumbers];
};

constexpr Kinds kinds() {
  Kinds result{};
  // select, pselect6 and ppoll count their time-outs down in place.
  for (int number :
       {SYS_futex, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_poll, SYS_ppoll,
        SYS_select, SYS_pselect6, SYS_nanosleep, SYS_clock_nanosleep, SYS_rt_sigtimedwait})
    result.of[number] = kHandled;
  for (int number : {SYS_epoll_ctl, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_prctl,
                     SYS_seccomp, SYS_unshare, SYS_close_range, SYS_arch_prctl, SYS_userfaultfd})
    result.of[number] = kHandled;
  for (int number : {SYS_clone, SYS_clone3, SYS_vfork}) result.of[number] = kMakesProcess;
  return result;
}

// All seven arguments, since a safe region passes no more than six.
struct Arguments {
  long number, values[6];
};

long make_call(const Arguments* call) {
  const long* values = call->values;
  return heaprake_next_syscall(call->number, values[0], values[1], values[2], values[3], values[4],
                               values[5]);
}

bool wakes(const Arguments& call) {
  switch (call.values[1] & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI:
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
      return false;
    default:
      return true;
  }
}

long call_futex(Arguments* call) {
  if (wakes(*call)) return make_call(call);
  const int kept_errno = errno;
  const long args[6] = {reinterpret_cast<long>(call)};
  const long result = heaprake_call_in_region(reinterpret_cast<const void*>(make_call), args);
  if (result != -1 || errno != EINTR || !platform::interrupted_by_us_alone()) return result;
  // A wake may have been lost by now, and to wait on would miss it: woken for nothing, as every
  // futex waiter must expect, is always right.
  errno = kept_errno;
  return 0;
}

struct Limit {
  Timeout timeout;
  int argument;
};

Limit limit_of(const Arguments& call) {
  switch (call.number) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
      return {MILLISECONDS, 3};
    case SYS_epoll_pwait2:
      return {TIMESPEC, 3};
    case SYS_poll:
      return {MILLISECONDS, 2};
    case SYS_nanosleep:
      return {TIMESPEC, 0};
    case SYS_clock_nanosleep:
      return call.values[1] & TIMER_ABSTIME ? Limit{NONE, 0} : Limit{TIMESPEC, 2};
    case SYS_rt_sigtimedwait:
      return {TIMESPEC, 2};
    default:
      return {NONE, 0};
  }
}

// rt_sigqueueinfo(process, signal, info), rt_tgsigqueueinfo(process, thread, signal, info).
long call_sigqueue(const Arguments* call) {
  const bool to_thread = call->number == SYS_rt_tgsigqueueinfo;
  siginfo_t info;
  const auto given = static_cast<uintptr_t>(call->values[to_thread ? 3 : 2]);
  const size_t got = platform::AddressSpace().read_guarded(&info, given, sizeof info);
  if (got != sizeof info || call->values[0] != platform::process_id()) return make_call(call);
  const auto value = reinterpret_cast<uintptr_t>(info.si_value.sival_ptr);
  collector::signal_queued(value);
  const long result = make_call(call);
  if (result != 0) collector::signal_not_queued(value);
  return result;
}

// Calls after which addresses are to be looked for elsewhere, too. True if it is one.
bool note_places(const Arguments& call) {
  switch (call.number) {
    case SYS_epoll_ctl:
      collector::note_epoll(static_cast<int>(call.values[0]));
      return true;
    case SYS_unshare:
      if ((call.values[0] & CLONE_FILES) != 0) collector::note_own_table();
      return true;
    case SYS_close_range:
      if ((call.values[2] & CLOSE_RANGE_UNSHARE) != 0) collector::note_own_table();
      return true;
    case SYS_userfaultfd:
      collector::note_userfault();
      return true;
    default:
      return false;
  }
}

long call_arch_prctl(const Arguments* call) {
  const long result = make_call(call);
  platform::note_gs_base();
  return result;
}

long call_handled(Arguments* call) {
  if (call->number == SYS_futex) return call_futex(call);
  if (call->number == SYS_arch_prctl) return call_arch_prctl(call);
  if (call->number == SYS_rt_sigqueueinfo || call->number == SYS_rt_tgsigqueueinfo) {
    return call_sigqueue(call);
  }
  if (note_places(*call)) return make_call(call);
  if (call->number == SYS_prctl || call->number == SYS_seccomp) {
    auto make = [](const void* given) { return make_call(static_cast<const Arguments*>(given)); };
    if (!installs_filter(call->number, call->values)) return make(call);
    return install_filter(call->number, call->values, make, call);
  }
  const Limit limit = limit_of(*call);
  const long given = call->values[limit.argument];
  const uint64_t started = limit.timeout == NONE ? 0 : heaprake_coarse_ns();
  const int kept_errno = errno;
  timespec left;
  const long args[6] = {reinterpret_cast<long>(call)};
  for (bool repeated = false;; repeated = true) {
    const long result = heaprake_call_in_region(reinterpret_cast<const void*>(make_call), args);
    if (result != -1 && repeated) errno = kept_errno;
    if (result != -1 || errno != EINTR || !platform::interrupted_by_us_alone()) return result;
    call->values[limit.argument] = time_left(limit.timeout, given, started, &left);
  }
}

}  // namespace

extern "C" {

__attribute__((used, visibility("hidden"))) extern const Kinds heaprake_syscall_kinds = kinds();

__attribute__((used, visibility("hidden"))) long heaprake_handled_syscall(long number, long a,
                                                                          long b, long c, long d,
                                                                          long e, long f) {
  Arguments call{number, {a, b, c, d, e, f}};
  return call_handled(&call);
}

}  // extern "C"

}  // namespace heaprake::shim
