// Sleeping inside a safe region. The kernel tells how much was left; it is told to do so in a
// variable of ours, since the program's must not change when the sleep ends well (a program may
// pass the same variable as the request).
#include <time.h>

#include <cerrno>

#include "platform/platform.h"
#include "shim/blocking.h"
#include "shim/processes.h"

HEAPRAKE_NEXT(int(const timespec*, timespec*), nanosleep);
HEAPRAKE_NEXT(int(int, int, const timespec*, timespec*), clock_nanosleep);
HEAPRAKE_NEXT(int(const timespec*, timespec*), thrd_sleep);
HEAPRAKE_NEXT(unsigned(unsigned), sleep);
HEAPRAKE_NEXT(int(unsigned), usleep);

#define HEAPRAKE_REGION extern "C" __attribute__((used, visibility("hidden")))

extern "C" __attribute__((visibility("hidden"))) heaprake::shim::Row heaprake_row_clock_nanosleep;

namespace heaprake::shim {
namespace {

int next_clock_nanosleep(int clock, int flags, const timespec* request, timespec* left) {
  const long args[6] = {clock, flags, reinterpret_cast<long>(request),
                        reinterpret_cast<long>(left)};
  return static_cast<int>(
      heaprake_call_in_region(reinterpret_cast<const void*>(heaprake_next_clock_nanosleep), args));
}

// Returns as clock_nanosleep does: 0 or an error number; errno is untouched. `left` may be null.
int sleep_in_region(int clock, int flags, const timespec* request, timespec* left) {
  if ((flags & TIMER_ABSTIME) != 0) {
    int error;
    do {
      error = next_clock_nanosleep(clock, flags, request, left);
    } while (error == EINTR && platform::interrupted_by_us_alone());
    return error;
  }
  timespec rest, again;
  int error = next_clock_nanosleep(clock, flags, request, &rest);
  while (error == EINTR && platform::interrupted_by_us_alone()) {
    again = rest;
    error = next_clock_nanosleep(clock, flags, &again, &rest);
  }
  if (error == EINTR && left) *left = rest;
  return error;
}

// All of these sleep in clock_nanosleep, as libc's do; not if that is another library's.
bool pass_through() {
  const Row& row = heaprake_row_clock_nanosleep;
  return row.entry != row.region || in_vfork_child();
}

int fail(int error) {
  errno = error;
  return -1;
}

}  // namespace

HEAPRAKE_REGION int heaprake_region_clock_nanosleep(int clock, int flags, const timespec* request,
                                                    timespec* left) {
  if (pass_through()) return heaprake_next_clock_nanosleep(clock, flags, request, left);
  return sleep_in_region(clock, flags, request, left);
}

HEAPRAKE_REGION int heaprake_region_nanosleep(const timespec* request, timespec* left) {
  if (pass_through()) return heaprake_next_nanosleep(request, left);
  const int error = sleep_in_region(CLOCK_REALTIME, 0, request, left);
  return error == 0 ? 0 : fail(error);
}

// Fails with -1 when interrupted and with another negative number otherwise: here libc has -2, and
// does not touch errno.
HEAPRAKE_REGION int heaprake_region_thrd_sleep(const timespec* request, timespec* left) {
  if (pass_through()) return heaprake_next_thrd_sleep(request, left);
  const int error = sleep_in_region(CLOCK_REALTIME, 0, request, left);
  return error == 0 ? 0 : error == EINTR ? -1 : -2;
}

// Whole seconds left, as libc counts them: cut off.
HEAPRAKE_REGION unsigned heaprake_region_sleep(unsigned seconds) {
  if (pass_through()) return heaprake_next_sleep(seconds);
  timespec time{static_cast<time_t>(seconds), 0};
  const int error = sleep_in_region(CLOCK_REALTIME, 0, &time, &time);
  if (error == 0) return 0;
  errno = error;
  return static_cast<unsigned>(time.tv_sec);
}

HEAPRAKE_REGION int heaprake_region_usleep(unsigned microseconds) {
  if (pass_through()) return heaprake_next_usleep(microseconds);
  constexpr unsigned kMillion = 1000000;
  const timespec time{static_cast<time_t>(microseconds / kMillion),
                      static_cast<long>(microseconds % kMillion) * 1000};
  const int error = sleep_in_region(CLOCK_REALTIME, 0, &time, nullptr);
  return error == 0 ? 0 : fail(error);
}

}  // namespace heaprake::shim
