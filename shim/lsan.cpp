// LeakSanitizer's interface (sanitizer/lsan_interface.h), for programs that know it. Outside mode
// hunt nothing is ignored and nothing is checked; root regions are roots in every mode.
#include <cstddef>
#include <cstdint>

#include "allocator/ledger.h"
#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/exit.h"
#include "shim/export.h"
#include "shim/hunt.h"

namespace heaprake::shim {
namespace {

platform::Range region(const void* begin, size_t size) {
  const auto lo = reinterpret_cast<uintptr_t>(begin);
  return {lo, lo + size};
}

bool may_check() {
  return collector::mode() == collector::Mode::kHunt && !leak_checks_are_off();
}

// 1 if something is lost.
int check_now() {
  int lost = 0;
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void* result) {
        const auto outcome = examine_meanwhile(platform::thread_of_call(*context), true);
        *static_cast<int*>(result) = outcome.blocks != 0;
      },
      &lost);
  return lost;
}

}  // namespace

HEAPRAKE_EXPORT void __lsan_do_leak_check() {
  if (may_check()) report_early();
}
HEAPRAKE_EXPORT int __lsan_do_recoverable_leak_check() {
  return may_check() ? check_now() : 0;
}

HEAPRAKE_EXPORT void __lsan_disable() {
  heap::ledger::disable();
}
HEAPRAKE_EXPORT void __lsan_enable() {
  heap::ledger::enable();
}
HEAPRAKE_EXPORT void __lsan_ignore_object(const void* p) {
  heap::ledger::ignore(p);
}

HEAPRAKE_EXPORT void __lsan_register_root_region(const void* begin, size_t size) {
  collector::add_root(region(begin, size));
}
HEAPRAKE_EXPORT void __lsan_unregister_root_region(const void* begin, size_t size) {
  collector::remove_root(region(begin, size));
}

}  // namespace heaprake::shim
