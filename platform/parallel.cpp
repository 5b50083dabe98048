// Helpers that live only while the world stands still: raw threads that libc never hears of. They
// run with the caller's thread-local storage, which is why they must not use it.
#include <linux/sched.h>

#include "platform/futex.h"
#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {

extern "C" long heaprake_spawn(unsigned long flags, void* stack_top, int* tid,
                               void (*fn)(void*, unsigned), void* arg, unsigned index);

namespace {

constexpr unsigned kMaxHelpers = 63;
constexpr size_t kStackSize = 256 * 1024;
constexpr size_t kGuard = kPageSize;
constexpr unsigned long kFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                 CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

struct Helper {
  char* stack;  // mapped at first use, kept
  int id;       // of the thread
  int tid;      // the same until the kernel clears it, when the thread has left its stack
};
Helper helpers[kMaxHelpers];

bool start(Helper* helper, void (*fn)(void*, unsigned), void* arg, unsigned index) {
  if (helper->stack == nullptr) {
    auto* stack = static_cast<char*>(reserve(kStackSize, kPageSize, 0));
    if (stack == nullptr) return false;
    if (!commit(stack + kGuard, kStackSize - kGuard)) {
      release(stack, kStackSize);
      return false;
    }
    helper->stack = stack;
  }
  const long result =
      heaprake_spawn(kFlags, helper->stack + kStackSize, &helper->tid, fn, arg, index);
  if (sys::failed(result)) {
    helper->tid = 0;
    return false;
  }
  helper->id = static_cast<int>(result);
  return true;
}

// Waits until the thread has left its stack, and then until it is no longer counted as a thread: a
// program that calls unshare or setns must be found to be as single as it was.
void join(Helper* helper, int process) {
  constexpr unsigned kMost = 200;
  constexpr long kNoSuchThread = -3;
  const int tid = helper->id;
  for (;;) {
    const int left = __atomic_load_n(&helper->tid, __ATOMIC_ACQUIRE);
    if (left == 0) break;
    // Not a private futex: the kernel's wake at a thread's end is not one.
    sys::call(SYS_futex, &helper->tid, FUTEX_WAIT, left, nullptr);
  }
  for (unsigned i = 0; i < kMost; ++i) {
    if (sys::call(SYS_tgkill, process, tid, 0) == kNoSuchThread) return;
    yield(i);
  }
}

}  // namespace

void yield(unsigned times) {
  constexpr unsigned kPatience = 64;
  constexpr uint64_t kNapNs = 50000;
  if (times < kPatience)
    sys::call(SYS_sched_yield);
  else
    nap(kNapNs);
}

unsigned run_parallel(unsigned count, void (*fn)(void* arg, unsigned index), void* arg) {
  // Helpers block all signals, also those that the main thread takes meanwhile.
  const SignalMask mask = block_signals();
  unsigned started = 1;
  while (started < count && started <= kMaxHelpers &&
         start(&helpers[started - 1], fn, arg, started)) {
    ++started;
  }
  restore_signals(mask);
  fn(arg, 0);
  const int process = process_id();
  for (unsigned i = 1; i < started; ++i) join(&helpers[i - 1], process);
  return started;
}

}  // namespace heaprake::platform
