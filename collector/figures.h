// The counters of stats.def, each an atomic of its own. Written by collections and by threads that
// report misuse; read by anyone.
#pragma once

#include <atomic>
#include <cstdint>

#include "heaprake/gc.h"

namespace heaprake::collector {

struct Figures {
#define HEAPRAKE_STAT(type, name, text) std::atomic<type> name{0};
#include "heaprake/stats.def"
#undef HEAPRAKE_STAT

  void copy_to(gc_stats* out) const {
#define HEAPRAKE_STAT(type, name, text) out->name = name.load(std::memory_order_relaxed);
#include "heaprake/stats.def"
#undef HEAPRAKE_STAT
  }
  // In a forked child: counters of what a process has done begin anew. What memory holds, and what
  // the last collection saw, is as it was.
  void begin_in_child() {
    Figures begun;
    for (auto kept : {&Figures::live_blocks, &Figures::live_bytes, &Figures::root_bytes,
                      &Figures::threads_stopped, &Figures::finalizers_waiting})
      set(begun.*kept, (this->*kept).load(std::memory_order_relaxed));
#define HEAPRAKE_STAT(type, name, text) name.store(begun.name.load(), std::memory_order_relaxed);
#include "heaprake/stats.def"
#undef HEAPRAKE_STAT
  }
  static void add(std::atomic<uint64_t>& counter, uint64_t n) {
    counter.fetch_add(n, std::memory_order_relaxed);
  }
  static void set(std::atomic<uint64_t>& counter, uint64_t n) {
    counter.store(n, std::memory_order_relaxed);
  }
};

extern Figures figures;

}  // namespace heaprake::collector
