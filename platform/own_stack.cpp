// A stack of our own, so that a collection may start on a thread whose stack is nearly used up.
#include "platform/platform.h"

namespace heaprake::platform {

extern "C" void heaprake_on_stack(void (*fn)(void*), void* arg, void* stack_top);

namespace {

constexpr size_t kStackSize = 256 * 1024;
char* stack = nullptr;  // mapped at first use, kept; its lowest page stays inaccessible

bool make_stack() {
  if (stack != nullptr) return true;
  auto* fresh = static_cast<char*>(reserve(kStackSize, kPageSize, 0));
  if (fresh == nullptr) return false;
  if (!commit(fresh + kPageSize, kStackSize - kPageSize)) {
    release(fresh, kStackSize);
    return false;
  }
  stack = fresh;
  return true;
}

}  // namespace

void run_on_own_stack(void (*fn)(void*), void* arg) {
  if (make_stack()) {
    heaprake_on_stack(fn, arg, stack + kStackSize);
  } else {
    fn(arg);
  }
}

}  // namespace heaprake::platform
