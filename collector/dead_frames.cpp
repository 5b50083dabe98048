#include "collector/dead_frames.h"

#include <algorithm>

#include "collector/collector.h"
#include "platform/dead_frames.h"

namespace heaprake::collector {

using platform::Range;

namespace {

// What is called a thread's local storage begins somewhere among its first frames.
bool may_be_stack(const Root& root) {
  return (root.kind == GC_REFERENCE_STACK || root.kind == GC_REFERENCE_TLS) && !root.guarded &&
         root.thread != 0;
}

// Of one in which the stack pointer lies. Pages that were never touched divide stacks.
Range whole_stack(const Root& root, const RootSet& roots) {
  Range stack = root.range;
  for (const Root& part : roots.ranges()) {
    if (!may_be_stack(part) || part.thread != root.thread) continue;
    if (part.kind == GC_REFERENCE_STACK) stack.lo = std::min(stack.lo, part.range.lo);
    if (part.range.lo == stack.hi) stack.hi = part.range.hi;
  }
  return stack;
}

}  // namespace

void DeadFrames::find(const platform::World& world, const RootSet& roots) {
  const bool contexts =
      __atomic_load_n(&heaprake_custom_stacks, __ATOMIC_RELAXED) & kCustomContexts;
  for (const Root& root : roots.ranges()) {
    if (!may_be_stack(root)) continue;
    const platform::StoppedThread& thread = world.threads[root.thread - 1];
    if (!root.range.contains(thread.sp)) continue;
    platform::for_each_dead_frame(thread, whole_stack(root, roots), contexts,
                                  [&](Range dead) { ranges_.push(dead); });
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
