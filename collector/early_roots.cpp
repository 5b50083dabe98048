// Roots that a copy of the process would not have, or would see change: read before it is made.
#include <algorithm>
#include <cstring>

#include "collector/roots.h"

namespace heaprake::collector {

using platform::AddressSpace;
using platform::Range;

bool RootSet::read_early(const AddressSpace& space, const Root& root, WordRule rule) {
  const auto number = static_cast<uint32_t>(early_roots_.size());
  if (!early_roots_.push(root)) return false;
  if (root.every_byte) rule.alignment = 1;
  bool ok = true;
  char copy[4 * platform::kPageSize];
  for (uintptr_t at = root.range.lo; at < root.range.hi;) {
    size_t wanted = std::min<size_t>(root.range.hi - at, sizeof copy);
    size_t got = wanted;
    if (root.guarded) {
      got = space.read_guarded(copy, at, wanted);
    } else {
      memcpy(copy, reinterpret_cast<const void*>(at), wanted);
    }
    for (size_t offset = 0; offset + sizeof(uintptr_t) <= got; offset += rule.alignment) {
      uintptr_t word;
      memcpy(&word, copy + offset, sizeof word);
      for_each_meaning(rule, word, at + offset, 0, [&](uintptr_t address) {
        if (address - heap::geometry.base >= heap::geometry.size) return;
        ok = ok && words_.push(address) && early_words_.push({at + offset, address, number});
      });
    }
    if (got < wanted && root.must_be_read) note_gap(kUnreadable);
    at = got == wanted ? at + got : ((at + got) | (platform::kPageSize - 1)) + 1;
  }
  return ok;
}

bool RootSet::prepare_for_copy(const AddressSpace& space, WordRule rule) {
  copy_gaps_.clear();
  bool ok = true;
  const Range heap{heap::geometry.base, heap::geometry.base + heap::geometry.size};
  const platform::CopyGaps told = platform::for_each_copy_gap([&](Range gap) {
    ok = ok && copy_gaps_.push(gap) && (gap.hi <= heap.lo || gap.lo >= heap.hi);
  });
  if (!ok || told != platform::CopyGaps::kKnown) return false;
  size_t kept = 0;
  for (size_t i = 0; ok && i < ranges_.size(); i++) {
    const Range range = ranges_[i].range;
    bool early = ranges_[i].shared;
    for (const Range& gap : copy_gaps_) early = early || (gap.lo < range.hi && range.lo < gap.hi);
    if (early) {
      ok = read_early(space, ranges_[i], rule);
    } else {
      ranges_[kept++] = ranges_[i];
    }
  }
  if (ok) ranges_.set_size(kept);
  return ok;
}

}  // namespace heaprake::collector
