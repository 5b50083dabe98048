// Waits that no wrapper of a name sees: inside libc's own code, and through syscall().
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "tests/blocking/situation.h"

namespace {

constexpr timespec kTime{0, static_cast<long>(kTimeoutNs)};

// A stream on one end of a pair of sockets with time-outs.
class SocketStream {
 public:
  explicit SocketStream(const char* mode) : pair_(Pair::sockets()) {
    const int end = mode[0] == 'r' ? 0 : 1;
    const timeval time{0, kTimeoutMs * 1000};
    setsockopt(pair_->fd[end], SOL_SOCKET, end == 0 ? SO_RCVTIMEO : SO_SNDTIMEO, &time,
               sizeof time);
    if (end == 1) pair_->fill();
    stream_ = fdopen(dup(pair_->fd[end]), mode);
    setvbuf(stream_, nullptr, _IONBF, 0);
  }
  ~SocketStream() { fclose(stream_); }
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;
  FILE* get() const { return stream_; }

 private:
  std::shared_ptr<Pair> pair_;
  FILE* stream_;
};

// The kernel counts a socket's time-out in ticks, and a busy machine's ticks may be late.
Situation timed_by_socket(std::function<long()> call, long result) {
  Situation situation = timed(std::move(call), result, EAGAIN);
  situation.at_least_ns /= 2;
  return situation;
}

Register fgetc_("fgetc_with_SO_RCVTIMEO", [] {
  return timed_by_socket(
      [in = std::make_shared<SocketStream>("r")] {
        clearerr(in->get());
        return fgetc(in->get());
      },
      EOF);
});
Register fwrite_("fwrite_with_SO_SNDTIMEO", [] {
  return timed_by_socket(
      [out = std::make_shared<SocketStream>("w")] {
        clearerr(out->get());
        return static_cast<long>(fwrite("x", 1, 1, out->get()));
      },
      0);
});

Register raw_nanosleep_("syscall_nanosleep", [] {
  return timed([] { return syscall(SYS_nanosleep, &kTime, nullptr); }, 0, kKept);
});
Register raw_clock_nanosleep_("syscall_clock_nanosleep", [] {
  return timed([] { return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &kTime, nullptr); }, 0,
               kKept);
});
Register raw_sigtimedwait_("syscall_rt_sigtimedwait", [] {
  return timed(
      [] {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR2);
        return syscall(SYS_rt_sigtimedwait, &set, nullptr, &kTime, sizeof(uint64_t));
      },
      -1, EAGAIN);
});

}  // namespace
