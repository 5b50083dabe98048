// Stacks of our own: large, guarded below, mapped at first use and kept.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heaprake::platform {

// make() by one thread at a time; then run() by one at a time.
class SeparateStack {
 public:
  static constexpr size_t kSize = 1024 * 1024;
  bool make();  // whether there is one, made if need be; false when memory is out
  void run(void (*fn)(void*), void* arg) const;  // only once it is made
  // How much of it lies below an address in it; 0 for any other address.
  size_t room_below(uintptr_t sp) const;

 private:
  char* base_ = nullptr;
};

extern SeparateStack session_stack;  // run_on_own_stack's
extern SeparateStack waiting_stack;  // the main thread's, where it stands still
extern SeparateStack spare_stack;    // run_on_spare_stack's

}  // namespace heaprake::platform
