#include <algorithm>
#include <cstring>

#include "collector/snapshot_graph.h"

namespace heaprake::collector {

uint32_t RootSection::where(const Root& root) const {
  if (root.kind == GC_REFERENCE_GLOBAL) {
    const size_t module = view_.modules.find(root.range.lo);
    return module < module_numbers_.size() ? module_numbers_[module] + 1 : 0;
  }
  return root.thread && root.thread <= thread_numbers_.size() ? thread_numbers_[root.thread - 1]
                                                              : 0;
}

void RootSection::write(heaprake_snapshot_end* totals) {
  totals_ = totals;
  for (const Root& root : view_.roots.ranges()) {
    // A protected block's content is told with the block.
    if (root.kind != GC_REFERENCE_BLOCK) scan(root);
  }
  for (const EarlyWord& early : view_.roots.early_words()) {
    const Root& root = view_.roots.early_roots()[early.root];
    send({root.kind, where(root), early.address, root.name}, early.value);
  }
  const MappedArray<uintptr_t>& words = view_.roots.words();
  const size_t own = words.size() - view_.roots.early_words().size();
  for (size_t i = 0; i < own; i++) {
    Root root{{}, GC_REFERENCE_PINNED, false, 0, "[pinned]"};
    if (view_.roots.kind_of_word(i) == WordKind::kKernel) root.name = "[kernel]";
    if (view_.roots.kind_of_word(i) == WordKind::kThread) {
      root.kind = GC_REFERENCE_REGISTER;
      root.name = "[thread]";
      root.thread = static_cast<uint32_t>(i / RootSet::kWordsOfThread + 1);
    }
    send({root.kind, where(root), 0, root.name}, words[i]);
  }
}

void RootSection::scan(const Root& root) {
  if (!root.guarded) return scan(root, root.range, reinterpret_cast<const char*>(root.range.lo));
  char copy[4 * platform::kPageSize];
  for (uintptr_t at = root.range.lo; at < root.range.hi;) {
    const size_t wanted = std::min<size_t>(root.range.hi - at, sizeof copy);
    const size_t got = view_.space.read_guarded(copy, at, wanted);
    scan(root, {at, at + got}, copy);
    at = got == wanted ? at + got : ((at + got) | (platform::kPageSize - 1)) + 1;
  }
}

void RootSection::scan(const Root& root, platform::Range range, const char* content) {
  WordRule rule = view_.rule;
  if (root.every_byte) rule.alignment = 1;
  const uint32_t here = where(root);
  for (; range.lo + sizeof(uintptr_t) <= range.hi;
       range.lo += rule.alignment, content += rule.alignment) {
    uintptr_t word;
    memcpy(&word, content, sizeof word);
    for_each_meaning(rule, word, range.lo, 0, [&](uintptr_t address) {
      if (resolver_.granule_of(address) != SIZE_MAX) send(place_of(root, here, range.lo), address);
    });
  }
}

RootSection::Place RootSection::place_of(const Root& root, uint32_t where, uintptr_t at) const {
  if (root.kind == GC_REFERENCE_REGISTER) return {root.kind, where, at - root.origin, root.name};
  if (view_.dead_frames.contains(at))
    return {GC_REFERENCE_STACK, where, at, HEAPRAKE_SNAPSHOT_DEAD_FRAME};
  return {root.kind, where, at, root.name};
}

void RootSection::send(const Place& place, uintptr_t word) {
  const size_t granule = resolver_.granule_of(word);
  if (granule == SIZE_MAX || !view_.marks.covers(granule)) return;
  const Resolved target = resolver_.resolve(granule);
  if (!target.found()) return;
  const uint32_t name = strings_.of(place.name);
  Section& section = stream_.section(HEAPRAKE_SNAPSHOT_ROOTS);
  section.begin(6 * Section::kMostNumber);
  section.number(place.kind);
  section.number(place.where);
  section.number(place.address);
  section.number(name);
  section.number(target.granule);
  section.number(word - heap::geometry.base - target.granule * heap::kGranule);
  totals_->roots++;
}

}  // namespace heaprake::collector
