// What happens when a blocking call was cut short: if a signal of ours alone did it, the call goes
// on as though nothing had been.
#include "shim/blocking.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include <cerrno>

#include "platform/platform.h"

// poll.h would declare poll, which this room defines.
struct pollfd {
  int fd;
  short events;
  short revents;
};

HEAPRAKE_NEXT(int(pollfd*, unsigned long, const timespec*, const void*), ppoll);

namespace heaprake::shim {

extern "C" {
__attribute__((used, visibility("hidden"))) long heaprake_errno_offset = 0;
}

namespace {

constexpr uint64_t kSecond = 1000000000, kMillisecond = 1000000;

// Of a wait that began at `started` on the coarse clock. Both readings may be a tick behind.
uint64_t remaining_ns(uint64_t timeout_ns, uint64_t started) {
  timespec resolution;
  clock_getres(CLOCK_MONOTONIC_COARSE, &resolution);
  const auto tick = static_cast<uint64_t>(resolution.tv_nsec);
  const uint64_t elapsed = heaprake_coarse_ns() - started;
  const uint64_t certain = elapsed > tick ? elapsed - tick : 0;
  return timeout_ns > certain ? timeout_ns - certain : 0;
}

timespec to_timespec(uint64_t ns) {
  return {static_cast<time_t>(ns / kSecond), static_cast<long>(ns % kSecond)};
}

// More than centuries is for ever, and must not overflow.
uint64_t to_ns(uint64_t seconds, uint64_t ns) {
  return seconds < (uint64_t{1} << 33) ? seconds * kSecond + ns : UINT64_MAX;
}

// Calls that return an int leave the upper half of the register undefined; those that return a
// length never return one of 2^32 - 1.
bool failed(long result) {
  return static_cast<int>(result) == -1;
}

// A call that goes on: the transfer so far, and the time that it may still take.
class Continuation {
 public:
  explicit Continuation(Call* call) : call_(call), row_(*call->row) {
    for (int i = 0; i < 6; ++i) args_[i] = call->args[i];
    transfers_ = row_.count != 0 && (row_.waitall == 0 || (args_[3] & MSG_WAITALL) != 0);
  }
  long run(long result);

 private:
  bool cut_short(long result) const;
  void advance(long bytes);
  bool set_time_left();
  bool find_socket_deadline();
  bool socket_ready();

  Call* call_;
  const Row& row_;
  long args_[6];
  bool transfers_;
  long total_ = 0;
  timespec left_{};
  uint64_t socket_deadline_ = 0;  // 0: not known yet; UINT64_MAX: none
};

bool Continuation::cut_short(long result) const {
  if (failed(result)) return errno == EINTR;
  return transfers_ && result > 0 && result < args_[row_.count];
}

void Continuation::advance(long bytes) {
  args_[row_.count - 1] += bytes;
  args_[row_.count] -= bytes;
  total_ += bytes;
}

// Puts what is left of the time-out into the arguments. False: the socket's has passed, errno says
// so. The others are left to the call, which then looks once more whether there is anything.
bool Continuation::set_time_left() {
  if (row_.timeout == MILLISECONDS || row_.timeout == TIMESPEC) {
    args_[row_.limit] = time_left(row_.timeout, call_->args[row_.limit], call_->started, &left_);
  } else if (row_.timeout != NONE) {
    return socket_ready();
  }
  return true;
}

// When the wait began is not known, so the first interruption starts the socket's time-out anew;
// all further ones count from there.
bool Continuation::find_socket_deadline() {
  if (socket_deadline_ != 0) return socket_deadline_ != UINT64_MAX;
  socket_deadline_ = UINT64_MAX;
  timeval given{};
  socklen_t length = sizeof(given);
  const bool receive = row_.timeout == RECEIVE;
  if (getsockopt(static_cast<int>(args_[0]), SOL_SOCKET, receive ? SO_RCVTIMEO : SO_SNDTIMEO,
                 &given, &length) != 0) {
    return false;  // not a socket
  }
  const uint64_t ns = to_ns(given.tv_sec, given.tv_usec * 1000);
  if (ns == 0 || ns == UINT64_MAX) return false;
  socket_deadline_ = platform::monotonic_ns() + ns;
  return true;
}

// Waits, like the call would, until the socket's time-out has passed. False: it has.
bool Continuation::socket_ready() {
  constexpr short kIn = 1, kOut = 4;
  while (find_socket_deadline()) {
    const uint64_t now = platform::monotonic_ns();
    left_ = to_timespec(now < socket_deadline_ ? socket_deadline_ - now : 0);
    pollfd wait{static_cast<int>(args_[0]), row_.timeout == RECEIVE ? kIn : kOut, 0};
    const long args[6] = {reinterpret_cast<long>(&wait), 1, reinterpret_cast<long>(&left_), 0};
    const long ready =
        heaprake_call_in_region(reinterpret_cast<const void*>(heaprake_next_ppoll), args);
    if (static_cast<int>(ready) > 0) return true;
    if (static_cast<int>(ready) == 0) {
      errno = row_.timeout == CONNECT ? EINPROGRESS : EAGAIN;
      return false;
    }
    if (errno != EINTR || !platform::interrupted_by_us_alone()) return false;
  }
  return true;
}

long Continuation::run(long result) {
  bool repeated = false;
  while (cut_short(result) && platform::interrupted_by_us_alone()) {
    repeated = true;
    if (!failed(result)) advance(result);
    result = -1;
    if (!set_time_left()) break;
    result = heaprake_call_in_region(row_.next, args_);
    if (row_.timeout == CONNECT && failed(result) && errno == EALREADY) {
      errno = EINPROGRESS;
    }
  }
  if (!repeated) return result;
  if (total_ > 0) result = failed(result) ? total_ : total_ + result;
  if (!failed(result)) errno = call_->kept_errno;
  return result;
}

}  // namespace

extern "C" __attribute__((used)) long heaprake_blocking_call_ended(Call* call, long result) {
  return Continuation(call).run(result);
}

extern "C" __attribute__((used)) uint64_t heaprake_coarse_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<uint64_t>(now.tv_sec) * kSecond + static_cast<uint64_t>(now.tv_nsec);
}

long time_left(Timeout timeout, long given, uint64_t started, timespec* storage) {
  if (timeout == MILLISECONDS && static_cast<int>(given) > 0) {
    const uint64_t left = remaining_ns(static_cast<int>(given) * kMillisecond, started);
    return static_cast<long>((left + kMillisecond - 1) / kMillisecond);
  }
  if (timeout == TIMESPEC && given != 0) {
    // The kernel has read it without a fault, since the call began to wait.
    const auto* time = reinterpret_cast<const timespec*>(given);
    const uint64_t ns = to_ns(time->tv_sec, time->tv_nsec);
    if (ns == UINT64_MAX) return given;
    *storage = to_timespec(remaining_ns(ns, started));
    return reinterpret_cast<long>(storage);
  }
  return given;
}

long call_again(const Row& row, long first, long second, long third, long fourth, long fifth) {
  Call frame{{first, second, third, fourth, fifth}, &row, errno, 0};
  const long result = heaprake_call_in_region(row.next, frame.args);
  return failed(result) ? heaprake_blocking_call_ended(&frame, result) : result;
}

void start_errno_offset() {
  heaprake_errno_offset =
      reinterpret_cast<long>(&errno) - reinterpret_cast<long>(__builtin_thread_pointer());
}

}  // namespace heaprake::shim
