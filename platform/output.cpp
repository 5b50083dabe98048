// Writing to descriptors that belong to the program, without it noticing: no errno, no
// SIGPIPE, no SIGXFSZ.
#include <linux/poll.h>
#include <signal.h>

#include "platform/inherited_filter.h"
#include "platform/platform.h"
#include "platform/sigaction.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

constexpr long kAgain = -11;
constexpr long kInterrupted = -4;
constexpr long kBrokenPipe = -32;
constexpr long kTooLarge = -27;
constexpr int kPatienceMs = 2000;

// Quiet, nobody protects the program from such a signal: only what it asked for is written then.
uint64_t pending_signals() {
  uint64_t pending = 0;
  if (is_quiet()) return ~pending;
  sys::call(SYS_rt_sigpending, &pending, sizeof pending);
  return pending;
}

// Waits until a non-blocking descriptor takes more; false when it does not for two seconds.
bool wait_writable(int fd) {
  struct pollfd poll {
    fd, POLLOUT, 0
  };
  return sys::call(SYS_poll, &poll, 1, kPatienceMs) > 0;
}

// A write to a pipe without a reader raises SIGPIPE in this thread, one beyond RLIMIT_FSIZE
// SIGXFSZ. It is blocked meanwhile; ours is taken back, unless one of the program's was pending
// already.
void forget_signal(int signal, uint64_t pending_before) {
  const uint64_t bit = signal_bit(signal);
  if ((pending_before & bit) != 0) return;
  const struct { int64_t seconds, nanoseconds; } at_once{0, 0};
  sys::call(SYS_rt_sigtimedwait, &bit, nullptr, &at_once, sizeof bit);
}

size_t write_most(int fd, const void* data, size_t length, bool rest) {
  const SignalMask mask = block_signals();
  const uint64_t pending = pending_signals();
  const char* at = static_cast<const char*>(data);
  size_t left = length;
  while (left != 0) {
    const long written = sys::call(SYS_write, fd, at, left);
    if (written == kInterrupted) continue;
    if (written == kAgain && wait_writable(fd)) continue;
    if (written == kBrokenPipe) forget_signal(SIGPIPE, pending);
    if (written == kTooLarge) forget_signal(SIGXFSZ, pending);
    if (written <= 0) break;
    at += written;
    left -= static_cast<size_t>(written);
    if (!rest) break;
  }
  restore_signals(mask);
  return length - left;
}

}  // namespace

bool write_all(int fd, const void* data, size_t length) {
  return write_most(fd, data, length, true) == length;
}

size_t write_once(int fd, const void* data, size_t length) {
  return write_most(fd, data, length, false);
}

void write_error(const char* text, size_t length) {
  write_all(2, text, length);
}

bool read_all(int fd, void* data, size_t length) {
  char* at = static_cast<char*>(data);
  while (length != 0) {
    const long got = sys::call(SYS_read, fd, at, length);
    if (got == kInterrupted) continue;
    if (got <= 0) return false;
    at += got;
    length -= static_cast<size_t>(got);
  }
  return true;
}

size_t read_some(int fd, void* data, size_t length) {
  for (;;) {
    const long got = sys::call(SYS_read, fd, data, length);
    if (got != kInterrupted) return got > 0 ? static_cast<size_t>(got) : 0;
  }
}

void close_file(int fd) {
  sys::call(SYS_close, fd);
}

void abort_process() {
  die_of(SIGABRT);
}

void die_of(int signal) {
  block_signals();
  set_action(signal, {});
  sys::call(SYS_tgkill, process_id(), thread_id(), signal);
  restore_signals({~signal_bit(signal)});
  for (;;) sys::call(SYS_exit_group, 128 + signal);
}

}  // namespace heaprake::platform
