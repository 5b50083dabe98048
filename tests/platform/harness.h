// Helpers shared by the tests that stop the world.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>

#include "platform/platform.h"

extern "C" long test_region_call(void* fn, long a = 0, long b = 0, long c = 0, long d = 0,
                                 long e = 0);
extern "C" long test_region_with_rbx(void* fn, long a, uintptr_t disguised);
extern "C" long test_region_six(void* fn, const long* arguments);
extern "C" long test_digits();
using Spin = void(volatile int* ready, volatile int* go_on, uintptr_t disguised);
extern "C" Spin test_spin_rbx, test_spin_r12, test_spin_rax, test_spin_xmm5, test_spin_red_zone;

namespace heaprake::platform {

template <class F>
void* address_of(F* function) {
  return reinterpret_cast<void*>(function);
}

inline long read_in_region(int fd, void* to, size_t bytes) {
  return test_region_call(address_of(&::read), fd, reinterpret_cast<long>(to),
                          static_cast<long>(bytes));
}

// A stop from its beginning to its end: signals blocked, the caller's registers described.
class Stop {
 public:
  Stop() {
    mask_ = block_signals();
    heaprake_with_context(
        [](const CallContext* context, void* stop) { static_cast<Stop*>(stop)->begin(*context); },
        this);
  }
  ~Stop() { resume(); }
  void resume() {
    if (active_) resume_world();
    active_ = false;
    restore_signals(mask_);
  }
  StopOutcome outcome() const { return outcome_; }
  const World& world() const { return world_; }
  const StoppedThread* find(int tid) const {
    for (size_t i = 0; i < world_.count; ++i)
      if (world_.threads[i].tid == tid) return &world_.threads[i];
    return nullptr;
  }

 private:
  void begin(const CallContext& context) {
    outcome_ = stop_world(thread_of_call(context), &world_);
    active_ = outcome_ == StopOutcome::kStopped;
  }
  SignalMask mask_{};
  World world_{};
  StopOutcome outcome_{};
  bool active_ = false;
};

inline bool holds(Range range, uintptr_t value) {
  for (uintptr_t at = (range.lo + 7) & ~uintptr_t{7}; at + 8 <= range.hi; at += 8) {
    uintptr_t word;
    std::memcpy(&word, reinterpret_cast<const void*>(at), sizeof word);
    if (word == value) return true;
  }
  return false;
}

}  // namespace heaprake::platform
