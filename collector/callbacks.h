// Functions of the program's that are called when a collection starts and when it has ended, on the
// thread that collects, with no lock held.
#pragma once

#include "collector/mapped_array.h"
#include "heaprake/gc.h"
#include "platform/platform.h"

namespace heaprake::collector {

class Callbacks {
 public:
  // Any thread, any time. false: out of memory, or there is none such.
  bool add(gc_callback call, void* arg);
  bool remove(gc_callback call, void* arg);

  // In the order in which they were added; one that is added or removed meanwhile may be called or
  // not.
  void call(gc_phase phase, const gc_info& info);

  // Arguments are roots. The world is stopped. false: out of memory.
  bool add_words(MappedArray<uintptr_t>& words) const;

  void before_fork() { lock_.before_fork(); }
  void after_fork_in_parent() { lock_.after_fork_in_parent(); }
  void reset_after_fork() { lock_.reset_after_fork(); }

 private:
  struct Entry {
    gc_callback call;
    void* arg;
  };
  bool get(size_t i, Entry* entry);

  platform::ForkMutex lock_;
  MappedArray<Entry> entries_;
};

extern Callbacks callbacks;

}  // namespace heaprake::collector
