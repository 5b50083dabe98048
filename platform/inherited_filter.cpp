#include "platform/inherited_filter.h"

#include <linux/fcntl.h>
#include <linux/seccomp.h>

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

// The number behind a line's name; 0 if there is no such line.
template <size_t kSize>
int number_after(const char* text, size_t length, const char (&name)[kSize]) {
  constexpr size_t kLength = kSize - 1;
  for (size_t at = 0; at + kLength < length; ++at) {
    if (__builtin_memcmp(text + at, name, kLength) != 0) continue;
    int number = 0;
    for (at += kLength; at < length && text[at] >= '0' && text[at] <= '9'; ++at)
      number = number * 10 + (text[at] - '0');
    return number;
  }
  return 0;
}

Status read_status(const char* path) {
  char text[4096];
  const long fd = sys::call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (sys::failed(fd)) return {};
  const long got = sys::call(SYS_read, fd, text, sizeof text);
  sys::call(SYS_close, fd);
  if (got <= 0) return {};
  const auto length = static_cast<size_t>(got);
  return {true, number_after(text, length, "\nTgid:\t"), number_after(text, length, "\nSeccomp:\t"),
          number_after(text, length, "\nSeccomp_filters:\t")};
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

void learn_quiet_process_id() {
  own_process.store(read_status("/proc/self/status").process, std::memory_order_relaxed);
}

}  // namespace heaprake::platform
