// Small facts about the process, its clock and its signal mask.
#include <linux/sched.h>
#include <signal.h>
#include <time.h>

#include "platform/inherited_filter.h"
#include "platform/platform.h"
#include "platform/syscall.h"
#include "platform/thread_record.h"

namespace heaprake::platform {

std::atomic<bool> few_calls{false};
__thread int known_thread_id;

int process_id() {
  if (is_quiet()) return quiet_process_id();
  return static_cast<int>(sys::call(SYS_getpid));
}
int thread_id() {
  if (is_quiet()) return quiet_thread_id();
  if (few_calls.load(std::memory_order_relaxed) && known_thread_id != 0) return known_thread_id;
  return static_cast<int>(sys::call(SYS_gettid));
}

void prepare_for_filter() {
  // Quiet, nobody stops this thread, and a forked child would have its record to forget.
  if (!is_quiet()) own_record();
  known_thread_id = thread_id();
  address_space_limit();
  few_calls.store(true, std::memory_order_relaxed);
}

unsigned processor_count() {
  uint64_t allowed[1024 / 64] = {};
  const long bytes = sys::call(SYS_sched_getaffinity, 0, sizeof allowed, allowed);
  if (sys::failed(bytes)) return 1;
  unsigned count = 0;
  for (uint64_t word : allowed) count += static_cast<unsigned>(__builtin_popcountll(word));
  return count == 0 ? 1 : count;
}

namespace {
uint64_t read_clock(int clock) {
  struct {
    int64_t seconds, nanoseconds;
  } now{};
  if (is_quiet()) {
    // No system call, where the kernel lends its page.
    timespec time{};
    clock_gettime(clock, &time);
    now = {time.tv_sec, time.tv_nsec};
  } else {
    sys::call(SYS_clock_gettime, clock, &now);
  }
  return static_cast<uint64_t>(now.seconds) * 1000000000u + static_cast<uint64_t>(now.nanoseconds);
}
}  // namespace

uint64_t monotonic_ns() {
  return read_clock(CLOCK_MONOTONIC);
}
uint64_t thread_cpu_ns() {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}
uint64_t realtime_ns() {
  return read_clock(CLOCK_REALTIME);
}

void sleep_ms(unsigned ms) {
  const struct { int64_t seconds, nanoseconds; } time{ms / 1000, ms % 1000 * 1'000'000};
  sys::call(SYS_nanosleep, &time, nullptr);
}

SignalMask block_signals() {
  const uint64_t all = ~uint64_t{0};
  SignalMask old{};
  // Quiet, a handler that allocates may wait for ever for what it has interrupted: less likely than
  // a filter that forbids this.
  if (is_quiet()) return old;
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old.bits, sizeof all);
  return old;
}

void restore_signals(SignalMask mask) {
  if (is_quiet()) return;
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &mask.bits, nullptr, sizeof mask.bits);
}

}  // namespace heaprake::platform
