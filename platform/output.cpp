// Writing to descriptors that belong to the program, without it noticing: no errno, no
// SIGPIPE, no SIGXFSZ.
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <climits>
#include <cstdio>

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
// Any of our outputs may be a pipe, which without O_NONBLOCK waits for a reader with all signals
// blocked, or a terminal.
constexpr int kWriting = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

uint64_t pending_signals() {
  uint64_t pending = 0;
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

}  // namespace

bool write_all(int fd, const void* data, size_t length) {
  const SignalMask mask = block_signals();
  const uint64_t pending = pending_signals();
  const char* at = static_cast<const char*>(data);
  while (length != 0) {
    const long written = sys::call(SYS_write, fd, at, length);
    if (written == kInterrupted) continue;
    if (written == kAgain && wait_writable(fd)) continue;
    if (written == kBrokenPipe) forget_signal(SIGPIPE, pending);
    if (written == kTooLarge) forget_signal(SIGXFSZ, pending);
    if (written <= 0) break;
    at += written;
    length -= static_cast<size_t>(written);
  }
  restore_signals(mask);
  return length == 0;
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

int open_for_writing(const char* path) {
  const long fd = sys::call(SYS_openat, AT_FDCWD, path, kWriting | O_TRUNC, 0666);
  return sys::failed(fd) ? -1 : static_cast<int>(fd);
}

int open_new_for_writing(const char* path, bool* exists) {
  constexpr long kExists = -17;
  const long fd =
      sys::call(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  *exists = fd == kExists;
  return sys::failed(fd) ? -1 : static_cast<int>(fd);
}

int open_for_reading(const char* path) {
  const long fd = sys::call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  return sys::failed(fd) ? -1 : static_cast<int>(fd);
}

size_t read_some(int fd, void* data, size_t length) {
  for (;;) {
    const long got = sys::call(SYS_read, fd, data, length);
    if (got != kInterrupted) return got > 0 ? static_cast<size_t>(got) : 0;
  }
}

int open_for_appending(const char* path) {
  const long fd = sys::call(SYS_openat, AT_FDCWD, path, kWriting | O_APPEND, 0666);
  return sys::failed(fd) ? -1 : static_cast<int>(fd);
}

bool is_replaceable(char (&path)[PATH_MAX]) {
  struct stat status;
  if (sys::failed(sys::call(SYS_newfstatat, AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW)))
    return true;
  if (!S_ISLNK(status.st_mode)) return S_ISREG(status.st_mode);
  const long fd = sys::call(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC);
  if (sys::failed(fd)) return false;
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", static_cast<int>(fd));
  const bool regular = !sys::failed(sys::call(SYS_fstat, fd, &status)) && S_ISREG(status.st_mode);
  const long got = regular ? sys::call(SYS_readlink, link, path, PATH_MAX - 1) : -1;
  sys::call(SYS_close, fd);
  if (got <= 0) return false;
  path[got] = 0;
  return true;
}

bool rename_file(const char* from, const char* to) {
  return !sys::failed(sys::call(SYS_rename, from, to));
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
