// syscall() with a number that waits: language runtimes call futex this way, some also epoll.
#include <linux/futex.h>
#include <sys/syscall.h>

#include <cerrno>

#include "platform/platform.h"
#include "shim/blocking.h"

HEAPRAKE_NEXT(long(long, ...), syscall);

namespace heaprake::shim {
namespace {

enum Kind : uint8_t { kOther, kWaits, kMakesProcess };
constexpr size_t kNumbers = 512;
struct Kinds {
  Kind of[kNumbers];
};

constexpr Kinds kinds() {
  Kinds result{};
  // select, pselect6 and ppoll count their time-outs down in place.
  for (int number : {SYS_futex, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_poll,
                     SYS_ppoll, SYS_select, SYS_pselect6})
    result.of[number] = kWaits;
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

Limit limit_of(long number) {
  switch (number) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
      return {MILLISECONDS, 3};
    case SYS_epoll_pwait2:
      return {TIMESPEC, 3};
    case SYS_poll:
      return {MILLISECONDS, 2};
    default:
      return {NONE, 0};
  }
}

long call_waiting(Arguments* call) {
  if (call->number == SYS_futex) return call_futex(call);
  const Limit limit = limit_of(call->number);
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

__attribute__((used, visibility("hidden"))) long heaprake_waiting_syscall(long number, long a,
                                                                          long b, long c, long d,
                                                                          long e, long f) {
  Arguments call{number, {a, b, c, d, e, f}};
  return call_waiting(&call);
}

}  // extern "C"

}  // namespace heaprake::shim
