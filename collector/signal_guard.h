// Holds a lock with all signals blocked: a handler of the program's cannot deadlock on the same
// thread, and the world never stops while what the lock protects is half changed.
#pragma once

#include "platform/platform.h"

namespace heaprake::collector {

class SignalGuard {
 public:
  explicit SignalGuard(platform::Mutex& lock) : mask_(platform::block_signals()), lock_(lock) {
    lock_.lock();
  }
  ~SignalGuard() {
    lock_.unlock();
    platform::restore_signals(mask_);
  }
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  platform::SignalMask mask_;
  platform::Mutex& lock_;
};

}  // namespace heaprake::collector
