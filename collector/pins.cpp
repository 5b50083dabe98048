#include "collector/pins.h"

#include "allocator/heap.h"

namespace heaprake::collector {

constinit Pins pins;

Pins::Pin* Pins::find(uintptr_t address) {
  for (Pin& pin : pins_) {
    if (pin.count && pin.address == address) return &pin;
  }
  return nullptr;
}

bool Pins::pin(uintptr_t address) {
  platform::SignalGuard guard(lock_);
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
  platform::SignalGuard guard(lock_);
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
  platform::SignalGuard guard(lock_);
  return roots_.push(range);
}

bool Pins::remove_root(platform::Range range) {
  platform::SignalGuard guard(lock_);
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
