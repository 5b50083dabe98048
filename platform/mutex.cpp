// The three-state futex lock of Drepper's "Futexes Are Tricky".
#include "platform/futex.h"
#include "platform/platform.h"

namespace heaprake::platform {

bool Mutex::try_lock() {
  uint32_t free = 0;
  if (!__atomic_compare_exchange_n(&state_, &free, 1u, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return false;
  __atomic_store_n(&owner_, thread_id(), __ATOMIC_RELAXED);
  return true;
}

void Mutex::lock() {
  if (try_lock()) return;
  while (__atomic_exchange_n(&state_, 2u, __ATOMIC_ACQUIRE) != 0) futex_wait(&state_, 2);
  __atomic_store_n(&owner_, thread_id(), __ATOMIC_RELAXED);
}

void Mutex::unlock() {
  __atomic_store_n(&owner_, 0, __ATOMIC_RELAXED);
  if (__atomic_exchange_n(&state_, 0u, __ATOMIC_RELEASE) == 2) futex_wake(&state_, 1);
}

bool Mutex::held_by_me() const {
  // Only the holder writes its own id there, and clears it before it lets go.
  return __atomic_load_n(&owner_, __ATOMIC_RELAXED) == thread_id();
}

void Mutex::reset_after_fork() {
  __atomic_store_n(&owner_, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&state_, 0u, __ATOMIC_RELAXED);
}

bool ForkMutex::lock() {
  const bool held =
      forking_process_ != 0 && (mutex_.held_by_me() || process_id() != forking_process_);
  if (!held) mutex_.lock();
  return !held;
}

void ForkMutex::before_fork() {
  mutex_.lock();
  forking_process_ = process_id();
}
void ForkMutex::after_fork_in_parent() {
  forking_process_ = 0;
  mutex_.unlock();
}
void ForkMutex::reset_after_fork() {
  forking_process_ = 0;
  mutex_.reset_after_fork();
}

}  // namespace heaprake::platform
