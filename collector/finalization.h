// Finalizers: which are due, in which order, and running them. After Python's PEP 442:
//
//   mark -> finalizable garbage is queued, and all that it leads to is marked as well -> the rest
//   is freed -> (gc_collect, gc_run_finalizers) all queued finalizers run -> mark again: what they
//   have not made reachable is freed
//
// A block's finalizer comes before those of blocks that it leads to and that do not lead back to
// it; in a circle, and among blocks that do not lead to each other, in the order in which they were
// set.
#pragma once

#include "collector/filter.h"
#include "collector/mark_bits.h"
#include "collector/marker.h"
#include "platform/platform.h"

namespace heaprake::collector {

// The world is stopped, marks are complete. Queues what is finalizable of the unmarked blocks, and
// marks it with all that it leads to; `marked` counts these as well. false: out of memory; the
// marks then prove nothing.
bool queue_finalizable(const platform::AddressSpace& space, const Filter& filter, MarkBits& marks,
                       MarkResult* marked);

// Runs what is queued, on this thread, with no lock held. Returns how many.
size_t run_due_finalizers();

}  // namespace heaprake::collector
