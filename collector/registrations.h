// Words that the kernel holds for the program until it takes them back: the value of a timer, of a
// message queue's notification. Each is a root.
#pragma once

#include <cstddef>
#include <cstdint>

#include "collector/collector.h"
#include "collector/mapped_array.h"
#include "platform/platform.h"

namespace heaprake::collector {

class Registrations {
 public:
  // Any thread, any time. One word for each kind and id: a second replaces the first. Words that
  // are no addresses in the heap are not kept.
  void add(Registration kind, uint64_t id, uintptr_t word);
  void remove(Registration kind, uint64_t id);

  // While the world is stopped: no thread stands still inside one of the above, since they block
  // the stop signal.
  bool add_words(MappedArray<uintptr_t>& words) const;

  // Neither timers nor notifications are inherited.
  void clear_after_fork();

 private:
  struct Entry {
    Registration kind;
    uint64_t id;
    uintptr_t word;  // 0: a free slot
  };
  void forget(Registration kind, uint64_t id);

  platform::Mutex lock_;
  MappedArray<Entry> entries_;
  bool lost_ = false;  // memory ran out: what is held is not known, so nothing may be freed
};

extern Registrations registrations;

}  // namespace heaprake::collector
