// What happens on mimalloc's slow path: the collector gets a chance to run, and memory that has
// been free for a while goes back to the system, which mimalloc does only when it happens to pass
// by.
#include <mimalloc.h>

#include <atomic>

#include "allocator/heap.h"
#include "allocator/memory.h"

namespace heaprake::heap {
namespace {

// mimalloc takes its slow path for every block over a KiB; the collector need not hear of each.
constexpr size_t kPollBytes = 16 * 1024;

std::atomic<PollHook> poll_hook{nullptr};
// A thread that allocates little gives the memory of what it has freed back to the system about
// twice a second: mimalloc keeps it otherwise until it needs a page. A busy one would want it again
// at once. (Not done where a thread blocks: it may do so in a signal handler that has interrupted
// the allocator.)
constexpr uint64_t kTrimPeriod = uint64_t{1} << 30;  // ticks of the time-stamp counter
constexpr size_t kQuietBytes = 32 << 20;             // allocated in such a period
__thread uint64_t period_began;
__thread size_t period_bytes;

void trim_when_quiet(size_t bytes) {
  period_bytes += bytes;
  uint64_t now = __builtin_ia32_rdtsc();
  if (now - period_began < kTrimPeriod) return;
  bool quiet = period_began != 0 && period_bytes < kQuietBytes;
  period_began = now;
  period_bytes = 0;
  if (quiet) mi_collect(true);
}

// True while the hook runs, and for good once the thread is ending.
__thread bool polling;

// The clock is read once in so many passes, and looked at for this long a time.
constexpr unsigned kPassesPerLook = 64;
constexpr uint64_t kTidyPeriod = 500'000'000;

__thread unsigned passes;
__thread uint64_t next_tidy;

std::atomic<bool> may_tidy{true};

// Pages without blocks, of this thread and of threads that are gone; segments without pages.
void tidy_now_and_then() {
  if (++passes % kPassesPerLook != 0 || polling || !may_tidy.load(std::memory_order_relaxed))
    return;
  uint64_t now = platform::monotonic_ns();
  if (now < next_tidy) return;
  if (next_tidy != 0) mi_collect(false);
  next_tidy = now + kTidyPeriod;
}

void on_slow_path(bool force, unsigned long long, void*) {
  // force: mimalloc gives memory back or the thread ends, neither of which is a time to collect.
  if (force) return;
  poll();
  tidy_now_and_then();
}

}  // namespace

void poll() {
  if (fast::allocated_bytes < kPollBytes || polling) return;
  size_t bytes = fast::allocated_bytes;
  polling = true;
  if (PollHook hook = poll_hook.load(std::memory_order_relaxed)) {
    hook();
  } else {
    take_allocated_bytes();
  }
  trim_when_quiet(bytes);
  polling = false;
}

void start_polling() {
  mi_register_deferred_free(on_slow_path, nullptr);
}
void stop_polling() {
  polling = true;
}
void stop_tidying() {
  may_tidy.store(false, std::memory_order_relaxed);
}
bool tidying() {
  return may_tidy.load(std::memory_order_relaxed);
}

void set_poll_hook(PollHook hook) {
  poll_hook.store(hook, std::memory_order_relaxed);
}

size_t take_allocated_bytes() {
  size_t bytes = fast::allocated_bytes;
  fast::allocated_bytes = 0;
  return bytes;
}

}  // namespace heaprake::heap
