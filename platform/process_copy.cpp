// A copy of the process, as fork makes one, that the program never hears of: without exit signal
// there is no SIGCHLD, waitpid does not show it, and no handlers of pthread_atfork run.
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <atomic>

#include "platform/own_ranges.h"
#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

constexpr int kMostCopies = 16;
constexpr uint64_t kMillisecond = 1000000;
constexpr uint64_t kPatience = 2000 * kMillisecond;
constexpr long kNoChild = -10;

// Process ids of copies that have not been waited for; 0: a free slot. Changed by run_in_copy's one
// caller at a time, and by whoever takes the right to reap.
std::atomic<int> copies[kMostCopies];
std::atomic<int> copies_count{0};
std::atomic<bool> reaping{false};
std::atomic<bool> forbidden{false};

// Where the copy and its maker meet: the only page that they share.
struct Meeting {
  enum : uint32_t { kNotYet, kReady, kFailed };
  std::atomic<uint32_t> state;
};

Meeting* make_meeting() {
  const long page =
      sys::call(SYS_mmap, 0, kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (sys::failed(page)) return nullptr;
  own_ranges::add({static_cast<uintptr_t>(page), page + kPageSize});
  return reinterpret_cast<Meeting*>(page);
}

void say(Meeting* meeting, uint32_t state) {
  meeting->state.store(state, std::memory_order_release);
  sys::call(SYS_futex, &meeting->state, FUTEX_WAKE, 1);
}

// Descriptors that stayed open here would keep pipes and ports busy that the program closes.
bool close_all_but(int keep) {
  const long below = keep > 0 ? sys::call(SYS_close_range, 0, keep - 1, 0) : 0;
  return !sys::failed(below) && !sys::failed(sys::call(SYS_close_range, keep + 1, ~0u, 0));
}

// Should memory run out, the copy is to go first. Advice only.
void offer_to_be_killed() {
  const long fd = sys::call(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (sys::failed(fd)) return;
  sys::call(SYS_write, fd, "1000", 4);
  sys::call(SYS_close, fd);
}

[[noreturn]] void be_copy(Meeting* meeting, int keep, void (*fn)(void*), void* arg) {
  offer_to_be_killed();
  sys::call(SYS_prctl, PR_SET_NAME, "heaprake");
  if (close_all_but(keep)) {
    say(meeting, Meeting::kReady);
    fn(arg);
  } else {
    say(meeting, Meeting::kFailed);
  }
  for (;;) sys::call(SYS_exit_group, 0);
}

// Copies only: a child of the program's that has got the same number by now is not touched.
bool has_ended(int pid) {
  const long result = sys::call(SYS_wait4, pid, nullptr, WNOHANG | __WCLONE, nullptr);
  return result == pid || result == kNoChild;
}

// Until the copy holds nothing of the program's any more.
bool wait_for(Meeting* meeting, int pid) {
  const uint64_t start = monotonic_ns();
  const struct { int64_t seconds, nanoseconds; } limit{0, 10 * kMillisecond};
  uint32_t state;
  while ((state = meeting->state.load(std::memory_order_acquire)) == Meeting::kNotYet) {
    sys::call(SYS_futex, &meeting->state, FUTEX_WAIT, Meeting::kNotYet, &limit);
    if (meeting->state.load(std::memory_order_acquire) != Meeting::kNotYet) continue;
    if (has_ended(pid)) return false;
    if (monotonic_ns() - start > kPatience) return true;
  }
  return state == Meeting::kReady;
}

void reap_all() {
  for (std::atomic<int>& copy : copies) {
    const int pid = copy.load(std::memory_order_relaxed);
    if (pid == 0 || !has_ended(pid)) continue;
    copy.store(0, std::memory_order_relaxed);
    copies_count.fetch_sub(1, std::memory_order_relaxed);
  }
}

std::atomic<int>* free_slot() {
  for (std::atomic<int>& copy : copies)
    if (copy.load(std::memory_order_relaxed) == 0) return &copy;
  return nullptr;
}

}  // namespace

void reap_copies() {
  if (copies_count.load(std::memory_order_relaxed) == 0 || reaping.exchange(true)) return;
  reap_all();
  reaping.store(false);
}

void forget_copies_after_fork() {
  for (std::atomic<int>& copy : copies) copy.store(0, std::memory_order_relaxed);
  copies_count.store(0);
  reaping.store(false);
}

void forbid_copies() {
  forbidden.store(true, std::memory_order_relaxed);
}

bool run_in_copy(int keep, void (*fn)(void*), void* arg) {
  if (forbidden.load(std::memory_order_relaxed)) return false;
  reap_copies();
  std::atomic<int>* slot = free_slot();
  Meeting* meeting = slot != nullptr ? make_meeting() : nullptr;
  if (meeting == nullptr) return false;
  // The copy has no handler to run, and gets what is sent to the process group.
  const SignalMask mask = block_signals();
  const long pid = sys::call(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) be_copy(meeting, keep, fn, arg);
  restore_signals(mask);
  bool runs = false;
  if (!sys::failed(pid)) {
    slot->store(static_cast<int>(pid), std::memory_order_relaxed);
    copies_count.fetch_add(1, std::memory_order_relaxed);
    runs = wait_for(meeting, static_cast<int>(pid));
  }
  release(meeting, kPageSize);
  return runs;
}

}  // namespace heaprake::platform
