// Threads: libc takes signal 33 for itself with the first one, and stacks of the program's own
// making are looked at with more care. Thin: everything passes through.
#include <pthread.h>

#include <atomic>
#include <cstddef>

#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/export.h"
#include "shim/interposed.h"

HEAPRAKE_NEXT(int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*), pthread_create);
HEAPRAKE_NEXT(int(unsigned long*, int (*)(void*), void*), thrd_create);
HEAPRAKE_NEXT(int(pthread_attr_t*, void*, size_t), pthread_attr_setstack);
HEAPRAKE_NEXT(int(pthread_attr_t*, void*), pthread_attr_setstackaddr);
HEAPRAKE_NEXT(int(pthread_attr_t*, size_t), pthread_attr_setguardsize);

namespace heaprake::shim {
namespace {

// libc installs its handler with the process's first thread and never again.
int note_thread(int result) {
  static std::atomic<bool> noted{false};
  if (!noted.load(std::memory_order_relaxed) && collector::mode() != collector::Mode::kOff) {
    platform::install_stop_signal();
    noted.store(true, std::memory_order_relaxed);
  }
  return result;
}

}  // namespace

HEAPRAKE_EXPORT int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                                   void* (*start)(void*), void* argument) noexcept {
  return note_thread(heaprake_next_pthread_create(thread, attributes, start, argument));
}

HEAPRAKE_EXPORT int thrd_create(unsigned long* thread, int (*start)(void*), void* argument) {
  return note_thread(heaprake_next_thrd_create(thread, start, argument));
}

HEAPRAKE_EXPORT int pthread_attr_setstack(pthread_attr_t* attributes, void* stack,
                                          size_t size) noexcept {
  collector::note_custom_stacks();
  return heaprake_next_pthread_attr_setstack(attributes, stack, size);
}

HEAPRAKE_EXPORT int pthread_attr_setstackaddr(pthread_attr_t* attributes, void* stack) noexcept {
  collector::note_custom_stacks();
  return heaprake_next_pthread_attr_setstackaddr(attributes, stack);
}

HEAPRAKE_EXPORT int pthread_attr_setguardsize(pthread_attr_t* attributes, size_t size) noexcept {
  if (size < platform::kPageSize) collector::note_custom_stacks();
  return heaprake_next_pthread_attr_setguardsize(attributes, size);
}

}  // namespace heaprake::shim
