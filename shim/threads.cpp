// Threads: libc takes signal 33 for itself with the first one, and stacks of the program's own
// making are looked at with more care. Thin: everything passes through.
#include <gnu/libc-version.h>
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>

#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/export.h"
#include "shim/interposed.h"
#include "shim/threads.h"

HEAPRAKE_NEXT(int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*), pthread_create);
HEAPRAKE_NEXT(int(unsigned long*, int (*)(void*), void*), thrd_create);
HEAPRAKE_NEXT(int(pthread_attr_t*, void*, size_t), pthread_attr_setstack);
HEAPRAKE_NEXT(int(pthread_attr_t*, void*), pthread_attr_setstackaddr);
HEAPRAKE_NEXT(int(pthread_attr_t*, size_t), pthread_attr_setguardsize);

namespace heaprake::shim {
namespace {

void note_custom_stacks() {
  __atomic_fetch_or(&collector::heaprake_custom_stacks, collector::kCustomThreadStacks,
                    __ATOMIC_RELAXED);
}

// Threads being made, and whether a fork is under way. Each waits for the other as long as this
// many yields last, well over what either takes.
std::atomic<int> being_made{0};
std::atomic<bool> gate_closed{false};
constexpr int kPatience = 2000;

class ThroughGate {
 public:
  ThroughGate() {
    being_made.fetch_add(1);
    for (int i = 0; i < kPatience && gate_closed.load(); ++i) {
      being_made.fetch_sub(1);
      sched_yield();
      being_made.fetch_add(1);
    }
  }
  ~ThroughGate() { being_made.fetch_sub(1); }
  ThroughGate(const ThroughGate&) = delete;
  ThroughGate& operator=(const ThroughGate&) = delete;
};

// libc installs its handler with the process's first thread and never again.
int note_thread(int result, uintptr_t id) {
  if (result == 0) collector::note_thread(id);
  static std::atomic<bool> noted{false};
  if (!noted.load(std::memory_order_relaxed) && collector::mode() != collector::Mode::kOff) {
    platform::install_stop_signal();
    platform::note_first_thread();
    noted.store(true, std::memory_order_relaxed);
  }
  return result;
}

}  // namespace

// From 2.42 on libc's guard pages do not show in the list of mappings, so that several stacks may
// look like one.
void note_libc_stacks() {
  char* after;
  const unsigned long major = strtoul(gnu_get_libc_version(), &after, 10);
  if (major != 2 || *after != '.' || strtoul(after + 1, nullptr, 10) >= 42) note_custom_stacks();
}

void close_thread_gate() {
  gate_closed.store(true);
  for (int i = 0; i < kPatience && being_made.load() != 0; ++i) sched_yield();
}
void open_thread_gate() {
  gate_closed.store(false);
}
void forget_threads_being_made() {
  being_made.store(0);
  gate_closed.store(false);
}

HEAPRAKE_EXPORT int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                                   void* (*start)(void*), void* argument) noexcept {
  ThroughGate through;
  const int result = heaprake_next_pthread_create(thread, attributes, start, argument);
  return note_thread(result, result == 0 ? *thread : 0);
}

HEAPRAKE_EXPORT int thrd_create(unsigned long* thread, int (*start)(void*), void* argument) {
  ThroughGate through;
  const int result = heaprake_next_thrd_create(thread, start, argument);
  return note_thread(result, result == 0 ? *thread : 0);
}

HEAPRAKE_EXPORT int pthread_attr_setstack(pthread_attr_t* attributes, void* stack,
                                          size_t size) noexcept {
  note_custom_stacks();
  return heaprake_next_pthread_attr_setstack(attributes, stack, size);
}

HEAPRAKE_EXPORT int pthread_attr_setstackaddr(pthread_attr_t* attributes, void* stack) noexcept {
  note_custom_stacks();
  return heaprake_next_pthread_attr_setstackaddr(attributes, stack);
}

HEAPRAKE_EXPORT int pthread_attr_setguardsize(pthread_attr_t* attributes, size_t size) noexcept {
  if (size < platform::kPageSize) note_custom_stacks();
  return heaprake_next_pthread_attr_setguardsize(attributes, size);
}

}  // namespace heaprake::shim
