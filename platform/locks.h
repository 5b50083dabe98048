// Locks, and the blocking of signals that goes with them: a part of the contract (platform.h),
// under the same terms.
#pragma once

#include <cstdint>

namespace heaprake::platform {

struct SignalMask {
  uint64_t bits;
};
SignalMask block_signals();  // all, the stop signal included
void restore_signals(SignalMask mask);

// Whether no handler of the program's can run on this thread anyway, nor the stop signal's,
// although not all signals are blocked (see note_action in signals.h).
bool defers_signals();

// All signals blocked for as long as this lives, where that makes a difference.
class BlockedSignals {
 public:
  BlockedSignals() : blocks_(!defers_signals()) {
    if (blocks_) mask_ = block_signals();
  }
  ~BlockedSignals() {
    if (blocks_) restore_signals(mask_);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  const bool blocks_;
  SignalMask mask_{};
};

// A lock that works before libc is ready and in signal handlers; not recursive.
class Mutex {
 public:
  void lock();
  bool try_lock();
  void unlock();
  bool held_by_me() const;
  void reset_after_fork();  // in the child, whoever held it

 private:
  uint32_t state_ = 0;  // 0 free, 1 held, 2 held with waiters
  int owner_ = 0;       // thread id; written only by the holder
};

// Holds a lock with all signals blocked: a handler of the program's cannot wait for it on the same
// thread, and no thread is ever stopped while what the lock protects is half changed.
class SignalGuard {
 public:
  explicit SignalGuard(Mutex& lock) : lock_(lock) { lock_.lock(); }
  ~SignalGuard() { lock_.unlock(); }
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  BlockedSignals blocked_;
  Mutex& lock_;
};

// A lock over what a forked child must find whole. From before_fork to one of the other two the
// forking thread holds it, in the child too, where it goes by another id: other libraries' fork
// handlers may call us then.
class ForkMutex {
 public:
  // false: the forking thread holds it already, and shall not unlock it.
  bool lock();
  void unlock() { mutex_.unlock(); }
  void before_fork();
  void after_fork_in_parent();
  void reset_after_fork();

 private:
  Mutex mutex_;
  int forking_process_ = 0;  // 0: none is
};

// The same for such a lock.
class ForkGuard {
 public:
  explicit ForkGuard(ForkMutex& lock) : lock_(lock), taken_(lock.lock()) {}
  ~ForkGuard() {
    if (taken_) lock_.unlock();
  }
  ForkGuard(const ForkGuard&) = delete;
  ForkGuard& operator=(const ForkGuard&) = delete;

 private:
  BlockedSignals blocked_;
  ForkMutex& lock_;
  const bool taken_;
};

}  // namespace heaprake::platform
