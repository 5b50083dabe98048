#include "platform/advice.h"

#include <atomic>

#include "platform/inherited_filter.h"
#include "platform/syscall.h"

namespace heaprake::platform::advice {

namespace {
std::atomic<bool> forbidden{false};
}  // namespace

void give(void* p, size_t bytes, int advice) {
  if (is_allowed()) sys::call(SYS_madvise, p, bytes, advice);
}

bool is_allowed() {
  return !forbidden.load(std::memory_order_relaxed) && !is_quiet();
}

void forbid() {
  forbidden.store(true, std::memory_order_relaxed);
}

}  // namespace heaprake::platform::advice
