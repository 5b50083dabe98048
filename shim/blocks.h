// A walk over all recorded blocks, in address order.
#pragma once

#include <cstddef>

#include "allocator/heap.h"

namespace heaprake::shim {

// Calls visit(block) for each until it returns false. While other threads allocate, blocks that
// come or go meanwhile may be seen or not. Allocates nothing.
template <class Visit>
void for_each_block(Visit visit) {
  const heap::Geometry& where = heap::geometry;
  constexpr size_t kGranulesOfSlice = heap::kSliceSize / heap::kGranule;
  size_t slices = heap::ready() ? heap::slice_limit() : 0;
  for (size_t slice = 0; slice < slices; ++slice) {
    slice = heap::next_used_slice(slice);
    if (slice >= slices) return;
    for (size_t i = 0; i < kGranulesOfSlice; ++i) {
      size_t granule = slice * kGranulesOfSlice + i;
      if (!where.map[granule]) continue;
      heap::Block block = heap::block_at(granule);
      if (block && !visit(block)) return;
    }
  }
}

}  // namespace heaprake::shim
