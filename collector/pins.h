// Blocks that must be kept although no scan may see them (gc_pin, pointers that only the kernel
// holds), and memory that the program wants scanned as well (gc_add_root).
#pragma once

#include "collector/mapped_array.h"
#include "platform/platform.h"

namespace heaprake::collector {

class Pins {
 public:
  // All take the lock of this object, briefly; any thread, any time. false: out of memory, or
  // (unpin, remove_root) there was none.
  bool pin(uintptr_t address);
  bool unpin(uintptr_t address);
  bool add_root(platform::Range range);
  bool remove_root(platform::Range range);

  // While the world is stopped: no thread stands still inside one of the above, since they block
  // the stop signal. forget_dead drops pins whose block has been freed meanwhile.
  void forget_dead();
  template <class Visit>
  void for_each_pin(Visit visit) const {
    for (const Pin& pin : pins_) {
      if (pin.count) visit(pin.address);
    }
  }
  template <class Visit>
  void for_each_root(Visit visit) const {
    for (const platform::Range& range : roots_) visit(range);
  }
  bool is_pinned(uintptr_t address) const;

  void reset_lock_after_fork() { lock_.reset_after_fork(); }

 private:
  struct Pin {
    uintptr_t address;
    size_t count;  // of pins minus unpins; 0: a free slot
  };
  Pin* find(uintptr_t address);

  platform::Mutex lock_;
  MappedArray<Pin> pins_;
  MappedArray<platform::Range> roots_;
};

extern Pins pins;

}  // namespace heaprake::collector
