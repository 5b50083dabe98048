// A heap of our own beside the test program's: blocks come from heap::allocate, the test's own data
// from libc's malloc, which to the collector is one more mapping of roots.
//
// A conservative scan sees dead copies of addresses in frames and registers. So every step that
// handles plain addresses is a function of its own that is not inlined, addresses are kept
// disguised, and clear_stack() wipes what such steps have left below the stack pointer. Each test
// needs a process of its own (ctest gives it one): a test's frame has gaps, in which half an
// address of an earlier test may stand.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

#include "allocator/heap.h"
#include "collector/collector.h"
#include "platform/platform.h"

namespace heaprake::test {

// Holds an address without being a reference to it.
class Hidden {
 public:
  Hidden() = default;
  explicit Hidden(const void* p) : bits_(~reinterpret_cast<uintptr_t>(p)) {}
  uintptr_t address() const { return ~bits_; }
  template <class T = void>
  T* get() const {
    return reinterpret_cast<T*>(~bits_);
  }

 private:
  uintptr_t bits_ = 0;
};

__attribute__((noinline)) inline void clear_stack() {
  volatile char frame[16384];
  memset(const_cast<char*>(frame), 0, sizeof frame);
  asm volatile("" : : "r"(frame) : "memory");
}

// The outcome is not returned by value: the padding of a copy in the test's frame would go on
// holding what lay there before, which may be half an address.
__attribute__((noinline)) inline const collector::Outcome& collect_from_here() {
  static collector::Outcome outcome;
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void* out) {
        *static_cast<collector::Outcome*>(out) =
            collector::collect(collector::Reason::kExplicit, platform::thread_of_call(*context));
      },
      &outcome);
  return outcome;
}

// Collects, with the preserved registers and the stack of the caller. Inlined, so that the frame of
// collect_from_here, which is scanned, lies where the stack has just been wiped.
__attribute__((always_inline)) inline const collector::Outcome& collect_now() {
  clear_stack();
  return collect_from_here();
}

__attribute__((noinline)) inline bool exists(const Hidden& hidden) {
  return heap::find_block(hidden.address()).address == hidden.address();
}

__attribute__((noinline)) inline bool pin(const Hidden& hidden) {
  return collector::pin(heap::find_block(hidden.address()));
}
__attribute__((noinline)) inline bool unpin(const Hidden& hidden) {
  return collector::unpin(heap::Block{hidden.address(), 0, false});
}

class HeapTest : public testing::Test {
 protected:
  void SetUp() override {
    static bool once = [] {
      heap::init({.pad = false, .ledger = true});
      platform::start_threads();
      platform::install_stop_signal();
      return true;
    }();
    (void)once;
    configure(collector::Options{});
    // The test's own frame will lie where earlier tests have left addresses.
    clear_stack();
  }
  static void configure(collector::Options options) {
    options.threshold = 0;
    collector::configure(options);
  }
};

}  // namespace heaprake::test
