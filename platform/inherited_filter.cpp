#include "platform/inherited_filter.h"

#include <linux/fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <time.h>

#include "platform/platform.h"
#include "platform/syscall.h"
#include "platform/thread_record.h"

namespace heaprake::platform {

std::atomic<bool> quiet{false};

namespace {

std::atomic<int> own_process{0};
std::atomic<int> last_thread{0};

struct Status {
  bool known = false;
  int process = 0;
  int seccomp = SECCOMP_MODE_DISABLED;
  int filters = 0;  // Linux 5.9; before that always 0
};

// The file a line at a time, as much of each as fits: the list of groups may be far longer than any
// buffer, and the lines that matter come behind it.
class StatusReader {
 public:
  void take(const char* text, size_t length) {
    for (size_t i = 0; i < length; ++i) take(text[i]);
  }
  Status status() const { return status_; }

 private:
  void take(char c) {
    if (c != '\n') {
      if (length_ < sizeof line_ - 1) line_[length_++] = c;
      return;
    }
    line_[length_] = 0;
    read("Tgid:\t", &status_.process);
    read("Seccomp:\t", &status_.seccomp);
    read("Seccomp_filters:\t", &status_.filters);
    status_.known = true;
    length_ = 0;
  }

  template <size_t kSize>
  void read(const char (&name)[kSize], int* number) const {
    constexpr size_t kLength = kSize - 1;
    static_assert(kSize < sizeof line_);
    if (length_ < kLength || __builtin_memcmp(line_, name, kLength) != 0) return;
    *number = 0;
    for (const char* at = line_ + kLength; *at >= '0' && *at <= '9'; ++at)
      *number = *number * 10 + (*at - '0');
  }

  Status status_;
  char line_[64];      // the one being read, without what does not fit
  size_t length_ = 0;  // of it
};

Status read_status(const char* path) {
  const long fd = sys::call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (sys::failed(fd)) return {};
  StatusReader reader;
  char text[1024];
  for (;;) {
    const long got = sys::call(SYS_read, fd, text, sizeof text);
    if (got <= 0) break;
    reader.take(text, static_cast<size_t>(got));
  }
  sys::call(SYS_close, fd);
  return reader.status();
}

// A filter that holds for a whole container, and so for the first process in it as well, is made
// for programs in general, ours included.
bool is_for_everybody(const Status& own) {
  const Status first = read_status("/proc/1/status");
  return first.known && first.seccomp == own.seccomp && first.filters == own.filters;
}

}  // namespace

void notice_inherited_filter() {
  static std::atomic<bool> noticed{false};
  if (noticed.load(std::memory_order_acquire)) return;
  const Status own = read_status("/proc/self/status");
  own_process.store(own.process, std::memory_order_relaxed);
  const bool filtered = own.known && own.seccomp == SECCOMP_MODE_FILTER;
  quiet.store(filtered && !is_for_everybody(own), std::memory_order_relaxed);
  noticed.store(true, std::memory_order_release);
}

bool has_unknown_filter() {
  return is_quiet();
}

void trust_inherited_filter() {
  quiet.store(false, std::memory_order_relaxed);
  known_thread_id = 0;
}

int quiet_process_id() {
  return own_process.load(std::memory_order_relaxed);
}

int quiet_thread_id() {
  if (known_thread_id == 0) known_thread_id = ++last_thread;
  return known_thread_id;
}

// libc keeps the thread's id, which the kernel has written there for the child, and tells it in the
// number of a clock: clock ids of the kernel's are a thread's id, inverted, above three bits of
// kind.
void learn_quiet_process_id() {
  clockid_t clock = 0;
  if (pthread_getcpuclockid(pthread_self(), &clock) != 0) return;
  own_process.store(~(clock >> 3), std::memory_order_relaxed);
}

}  // namespace heaprake::platform
