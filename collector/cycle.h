// One collection, phase by phase, and the state that outlives it. All members but `options`,
// `pending_sweep`, `debug`, `listener` and `userfault` are guarded by collector_lock.
#pragma once

#include <atomic>

#include "collector/collector.h"
#include "collector/condemned.h"
#include "collector/filter.h"
#include "collector/mark_bits.h"
#include "collector/pacer.h"
#include "collector/roots.h"
#include "collector/stopped_world.h"
#include "collector/sweeper.h"

namespace heaprake::collector {

struct State {
  Options options;  // written by configure, before the first collection
  MarkBits bits;
  RootSet roots;
  CondemnedSet condemned;  // its readers need no lock
  Pacer pacer;             // likewise
  std::atomic<Listener> listener{nullptr};
  std::atomic<bool> userfault{false};  // the program has asked for userfaultfd
  // From the moment that the bits hold garbage until all of it is freed.
  std::atomic<bool> freeing{false};
  // The bits hold garbage that a collection in a signal handler has left for the next allocation.
  std::atomic<bool> pending_sweep{false};
  std::atomic<unsigned> debug{0};  // GC_DEBUG_*
  // What becomes of the garbage that the bits hold, decided when they came to hold it.
  Fate fate = Fate::kCount;
  bool saves = false;  // kCount, and the garbage is kept as saved
};

extern State state;

// As the options, the mode and the libraries say that state.roots have seen.
WordRule word_rule();

void tell(Event event, const char* text);

// Under the lock, signals blocked. `may_free`: the calling thread is not inside the allocator.
Outcome run_cycle(Reason reason, const platform::StoppedThread& self, bool may_free);

// How many threads read so many bytes of blocks, while the world is stopped.
unsigned markers_for(size_t bytes);

// Marks what state.roots reach, in the stopped world or in a copy of the process that `space`
// shows. false: memory ran out, and the marks prove nothing.
bool mark_roots(const platform::AddressSpace& space);

// Under the lock: frees what pending_sweep promised.
void finish_pending_sweep();

}  // namespace heaprake::collector
