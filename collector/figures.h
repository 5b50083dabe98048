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
  static void add(std::atomic<uint64_t>& counter, uint64_t n) {
    counter.fetch_add(n, std::memory_order_relaxed);
  }
  static void set(std::atomic<uint64_t>& counter, uint64_t n) {
    counter.store(n, std::memory_order_relaxed);
  }
};

extern Figures figures;

}  // namespace heaprake::collector
