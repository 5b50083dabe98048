// Stacks of our own, so that a collection may start on a thread whose stack is nearly used up, and
// the main thread may take signals however little is left of its stack.
#include "platform/own_stack.h"

#include "platform/platform.h"

namespace heaprake::platform {

extern "C" void heaprake_on_stack(void (*fn)(void*), void* arg, void* stack_top);

constinit SeparateStack session_stack;
constinit SeparateStack waiting_stack;
constinit SeparateStack spare_stack;

bool SeparateStack::make() {
  if (base_ != nullptr) return true;
  auto* fresh = static_cast<char*>(reserve(kSize, kPageSize, 0));
  if (fresh == nullptr) return false;
  // The lowest page stays inaccessible.
  if (!commit(fresh + kPageSize, kSize - kPageSize)) {
    release(fresh, kSize);
    return false;
  }
  base_ = fresh;
  return true;
}

void SeparateStack::run(void (*fn)(void*), void* arg) const {
  heaprake_on_stack(fn, arg, base_ + kSize);
}

size_t SeparateStack::room_below(uintptr_t sp) const {
  const uintptr_t lowest = reinterpret_cast<uintptr_t>(base_) + kPageSize;
  return base_ != nullptr && sp > lowest && sp - lowest < kSize ? sp - lowest : 0;
}

namespace {

void run_on(SeparateStack& stack, void (*fn)(void*), void* arg) {
  if (stack.make())
    stack.run(fn, arg);
  else
    fn(arg);
}

}  // namespace

void run_on_own_stack(void (*fn)(void*), void* arg) {
  run_on(session_stack, fn, arg);
}

void run_on_spare_stack(void (*fn)(void*), void* arg) {
  run_on(spare_stack, fn, arg);
}

}  // namespace heaprake::platform
