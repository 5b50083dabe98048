#include "collector/dead_frames.h"

#include <algorithm>

#include "collector/collector.h"
#include "platform/dead_frames.h"

namespace heaprake::collector {

using platform::Range;

void DeadFrames::find(const platform::World& world, const RootSet& roots) {
  const bool contexts =
      __atomic_load_n(&heaprake_custom_stacks, __ATOMIC_RELAXED) & kCustomContexts;
  for (const Root& root : roots.ranges()) {
    if (root.kind != GC_REFERENCE_STACK || root.guarded || root.thread == 0) continue;
    const platform::StoppedThread& thread = world.threads[root.thread - 1];
    if (!root.range.contains(thread.sp)) continue;
    // Pages that were never touched divide a stack.
    Range stack = root.range;
    for (const Root& part : roots.ranges()) {
      if (part.kind == GC_REFERENCE_STACK && part.thread == root.thread)
        stack.lo = std::min(stack.lo, part.range.lo);
    }
    platform::for_each_dead_frame(thread, stack, contexts, [&](Range dead) { ranges_.push(dead); });
  }
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return a.lo < b.lo; });
  size_t kept = 0;
  for (const Range& range : ranges_) {
    if (kept != 0 && range.lo <= ranges_[kept - 1].hi) {
      ranges_[kept - 1].hi = std::max(ranges_[kept - 1].hi, range.hi);
    } else {
      ranges_[kept++] = range;
    }
  }
  ranges_.set_size(kept);
}

bool DeadFrames::contains(uintptr_t address) const {
  const Range* after =
      std::upper_bound(ranges_.begin(), ranges_.end(), address,
                       [](uintptr_t place, const Range& range) { return place < range.lo; });
  return after != ranges_.begin() && after[-1].contains(address);
}

}  // namespace heaprake::collector
