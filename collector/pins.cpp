#include "collector/pins.h"

#include "allocator/heap.h"

namespace heaprake::collector {

constinit Pins pins;

namespace {

// Blocks all signals while it holds the lock: a handler of the program's cannot deadlock on the
// same thread, and the world never stops while the lists are half changed.
class Guard {
 public:
  explicit Guard(platform::Mutex& lock) : mask_(platform::block_signals()), lock_(lock) {
    lock_.lock();
  }
  ~Guard() {
    lock_.unlock();
    platform::restore_signals(mask_);
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  platform::SignalMask mask_;
  platform::Mutex& lock_;
};

}  // namespace

Pins::Pin* Pins::find(uintptr_t address) {
  for (Pin& pin : pins_) {
    if (pin.count && pin.address == address) return &pin;
  }
  return nullptr;
}

bool Pins::pin(uintptr_t address) {
  Guard guard(lock_);
  if (Pin* pin = find(address)) {
    pin->count++;
    return true;
  }
  for (Pin& pin : pins_) {
    if (pin.count) continue;
    pin = Pin{address, 1};
    return true;
  }
  return pins_.push(Pin{address, 1});
}

bool Pins::unpin(uintptr_t address) {
  Guard guard(lock_);
  Pin* pin = find(address);
  if (!pin) return false;
  pin->count--;
  return true;
}

void Pins::forget_dead() {
  for (Pin& pin : pins_) {
    if (pin.count && heap::find_block(pin.address).address != pin.address) pin.count = 0;
  }
}

bool Pins::is_pinned(uintptr_t address) const {
  for (const Pin& pin : pins_) {
    if (pin.count && pin.address == address) return true;
  }
  return false;
}

bool Pins::add_root(platform::Range range) {
  Guard guard(lock_);
  return roots_.push(range);
}

bool Pins::remove_root(platform::Range range) {
  Guard guard(lock_);
  for (size_t i = 0; i < roots_.size(); i++) {
    if (roots_[i].lo != range.lo || roots_[i].hi != range.hi) continue;
    // The last entry is copied before the list is shortened: a stopped world sees it at least once.
    roots_[i] = roots_[roots_.size() - 1];
    roots_.pop();
    return true;
  }
  return false;
}

}  // namespace heaprake::collector
