// When the collector gets a chance to run, and what it learns of allocation.
#include <mimalloc.h>

#include <atomic>

#include "allocator/heap.h"
#include "allocator/memory.h"

namespace heaprake::heap {
namespace {

// mimalloc takes its slow path for every block over a KiB; the collector need not hear of each.
constexpr size_t kPollBytes = 16 * 1024;

std::atomic<PollHook> poll_hook{nullptr};
// True while the hook runs, and for good once the thread is ending.
__thread bool polling;

void on_slow_path(bool force, unsigned long long, void*) {
  // force: mimalloc gives memory back or the thread ends, neither of which is a time to collect.
  if (!force) poll();
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

void start_polling() {
  mi_register_deferred_free(on_slow_path, nullptr);
}
void stop_polling() {
  polling = true;
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
