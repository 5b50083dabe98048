// What happens on mimalloc's slow path: the collector gets a chance to run, and memory that has
// been free for a while goes back to the system, which mimalloc does only when it happens to pass
// by.
#include <mimalloc.h>

#include <atomic>

#include "allocator/heap.h"
#include "allocator/memory.h"
#include "allocator/mimalloc_host.h"
#include "allocator/retained.h"

namespace heaprake::heap {
namespace {

// mimalloc takes its slow path for every block over a KiB; the collector need not hear of each.
constexpr size_t kPollBytes = 64 * 1024;

std::atomic<PollHook> poll_hook{nullptr};
std::atomic<RescueHook> rescue_hook{nullptr};
// True while a hook runs, but for the program's functions that it calls, and for good once the
// thread is ending.
__thread bool polling;

// The clock is read once in so many passes, and looked at for this long a time.
constexpr unsigned kPassesPerLook = 256;
constexpr uint64_t kTidyPeriod = 250'000'000;

__thread unsigned passes;
__thread uint64_t next_tidy;

std::atomic<bool> may_tidy{true};

// What threads that have ended allocated since their last poll.
std::atomic<size_t> left_bytes{0};

// Pages without blocks, of this thread and of threads that are gone; segments without pages.
[[gnu::noinline]] void tidy_if_due() {
  if (polling || !may_tidy.load(std::memory_order_relaxed)) return;
  uint64_t now = platform::monotonic_ns();
  if (now < next_tidy) return;
  if (next_tidy != 0) {
    mi_collect(false);
    retained::discard_unused();
  }
  next_tidy = now + kTidyPeriod;
}

void on_slow_path(bool force, unsigned long long, void*) {
  // force: mimalloc gives memory back or the thread ends, neither of which is a time to collect.
  if (force) return;
  if (fast::allocated_bytes >= kPollBytes) [[unlikely]]
    poll();
  if (++passes % kPassesPerLook == 0) [[unlikely]]
    tidy_if_due();
}

}  // namespace

void poll() {
  if (fast::allocated_bytes < kPollBytes || polling) return;
  PollHook hook = poll_hook.load(std::memory_order_relaxed);
  if (!hook) return;
  polling = true;
  hook();
  polling = false;
}

bool rescue() {
  RescueHook hook = rescue_hook.load(std::memory_order_relaxed);
  if (polling || !hook) return false;
  polling = true;
  bool reclaimed = hook();
  polling = false;
  return reclaimed;
}

LeftHook leave_hook() {
  const LeftHook left = {polling, heaprake_mimalloc_exchange_deferring(false)};
  polling = false;
  return left;
}
void return_to_hook(LeftHook left) {
  polling = left.polling;
  heaprake_mimalloc_exchange_deferring(left.deferring);
}

void start_polling() {
  mi_register_deferred_free(on_slow_path, nullptr);
}
void stop_polling() {
  polling = true;
  left_bytes.fetch_add(take_allocated_bytes(), std::memory_order_relaxed);
}
void take_over_count() {
  fast::allocated_bytes += left_bytes.exchange(0, std::memory_order_relaxed);
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

void set_rescue_hook(RescueHook hook) {
  rescue_hook.store(hook, std::memory_order_relaxed);
}

size_t take_allocated_bytes() {
  size_t bytes = fast::allocated_bytes;
  fast::allocated_bytes = 0;
  return bytes;
}

}  // namespace heaprake::heap
