#include <algorithm>
#include <cstring>

#include "collector/collector.h"
#include "collector/filter.h"
#include "collector/snapshot_graph.h"

namespace heaprake::collector {

namespace {

uintptr_t word_at(const char* content) {
  uintptr_t word;
  memcpy(&word, content, sizeof word);
  return word;
}

// new[] of a class with a destructor leaves room for the number of elements in front of them.
bool may_be_array(const heap::Block& block, uintptr_t first_word) {
  constexpr uintptr_t kMost = 1u << 24;
  const size_t bytes = heap::requested_size(block) - sizeof first_word;
  return first_word - 1 < kMost && bytes >= sizeof first_word && bytes < block.size &&
         bytes % first_word == 0;
}

}  // namespace

BlockSection::~BlockSection() {
  if (buffers_) platform::release(buffers_, sizeof(Buffers));
}

bool BlockSection::write(heaprake_snapshot_end* totals) {
  buffers_ = static_cast<Buffers*>(platform::map(sizeof(Buffers)));
  if (!buffers_) return false;
  totals_ = totals;
  heap::for_each_block([&](const heap::Block& block) {
    const size_t granule = (block.address - heap::geometry.base) / heap::kGranule;
    const bool reachable = view_.reachable(granule);
    (reachable ? totals->reachable_blocks : totals->unreachable_blocks)++;
    (reachable ? totals->reachable_bytes : totals->unreachable_bytes) +=
        is_protected(block) ? block.size : heap::requested_size(block);
    if ((!reachable || view_.all) && !stream_.failed()) add(block, granule, reachable);
    return true;
  });
  send();
  return true;
}

void BlockSection::add(const heap::Block& block, size_t granule, bool reachable) {
  totals_->blocks++;
  open(block, granule, reachable, false);
  if (!block.leaf) scan(block);
}

void BlockSection::open(const heap::Block& block, size_t granule, bool reachable, bool further) {
  if (pending_count_ == kBatch) send();
  pending_[pending_count_++] = {block, granule, reachable, further, candidate_count_};
}

void BlockSection::scan(const heap::Block& block) {
  const platform::Range whole{block.address, block.address + block.size};
  if (is_protected(block)) {
    for (uintptr_t at = whole.lo; at < whole.hi;) {
      const size_t wanted = std::min<size_t>(whole.hi - at, kCopyBytes);
      const size_t got = view_.space.read_guarded(buffers_->copy, at, wanted);
      scan(block, {at, at + got}, buffers_->copy);
      at = got == wanted ? at + got : ((at + got) | (platform::kPageSize - 1)) + 1;
    }
  } else if (block.size < kSparseBytes) {
    scan(block, whole, reinterpret_cast<const char*>(whole.lo));
  } else {
    view_.space.for_each_touched(whole, platform::Pages::kTouched, [&](platform::Range touched) {
      const uintptr_t lo = std::max(touched.lo, whole.lo);
      scan(block, {lo, std::min(touched.hi, whole.hi)}, reinterpret_cast<const char*>(lo));
    });
  }
}

void BlockSection::scan(const heap::Block& block, platform::Range range, const char* content) {
  const WordRule rule = view_.rule;
  // Of a protected block the marker has seen the content alone.
  const uintptr_t base = is_protected(block) ? 0 : base_of_distances(block);
  for (; range.lo + sizeof(uintptr_t) <= range.hi;
       range.lo += rule.alignment, content += rule.alignment) {
    for_each_meaning(rule, word_at(content), range.lo, base,
                     [&](uintptr_t word) { add_candidate(range.lo - block.address, word); });
  }
}

inline void BlockSection::add_candidate(uint64_t offset, uintptr_t word) {
  const size_t granule = resolver_.granule_of(word);
  if (granule == SIZE_MAX || !view_.marks.covers(granule)) return;
  if (candidate_count_ == kMostEdges) {
    const Pending last = pending_[pending_count_ - 1];
    send();
    open(last.block, last.granule, last.reachable, true);
  }
  resolver_.prefetch(granule);
  buffers_->candidates[candidate_count_++] = {offset, word, 0};
}

void BlockSection::send() {
  for (size_t i = 0; i < pending_count_; i++) {
    const bool last = i + 1 == pending_count_;
    send(pending_[i], last ? candidate_count_ : pending_[i + 1].first_candidate);
  }
  pending_count_ = 0;
  candidate_count_ = 0;
}

// How many words from the block's start help to tell what it is.
size_t BlockSection::telling_words(const Pending& pending) const {
  if (pending.further) return 0;
  const size_t count = std::min<size_t>(pending.block.size / sizeof(uintptr_t), kMostWords);
  if (!pending.reachable) return count;
  if (is_protected(pending.block)) return 0;
  const uintptr_t first = *reinterpret_cast<const uintptr_t*>(pending.block.address);
  if (resolver_.granule_of(first) == SIZE_MAX &&
      view_.modules.find(first) != view_.modules.list().size())
    return std::min<size_t>(count, 2);
  return may_be_array(pending.block, first) ? 1 : 0;
}

void BlockSection::send_words(const Pending& pending, Section& section) const {
  const size_t count = telling_words(pending);
  const auto* words = reinterpret_cast<const uintptr_t*>(pending.block.address);
  section.number(count);
  for (size_t i = 0; i < count; i++) section.bytes(&words[i], sizeof words[i]);
}

size_t BlockSection::resolve(size_t first, size_t end) {
  Candidate* candidates = buffers_->candidates;
  size_t kept = first;
  for (size_t i = first; i < end; i++) {
    const Resolved target = resolver_.resolve(resolver_.granule_of(candidates[i].word));
    if (!target.found() || (!view_.all && view_.reachable(target.granule))) continue;
    candidates[kept++] = {candidates[i].offset, candidates[i].word, target.granule};
  }
  return kept - first;
}

void BlockSection::send(const Pending& pending, size_t end_candidate) {
  constexpr size_t kMostHead = 12 * Section::kMostNumber + kMostWords * sizeof(uintptr_t);
  constexpr size_t kMostEdge = 3 * Section::kMostNumber;
  static_assert(kMostHead + kMostEdges * kMostEdge <= Section::kMostRecord);
  const size_t count = resolve(pending.first_candidate, end_candidate);
  Section& section = stream_.section(HEAPRAKE_SNAPSHOT_BLOCKS);
  section.begin(kMostHead + count * kMostEdge);
  send_entry(pending, section);
  send_words(pending, section);
  send_edges(pending, count, section);
}

void BlockSection::send_entry(const Pending& pending, Section& section) {
  const heap::Block& block = pending.block;
  const SnapshotEntry entry = is_protected(block) ? SnapshotEntry{block.size} : entry_of(block);
  const char* type = nullptr;
  if (!pending.further && heap::is_noted(block.address)) type = type_of(block);
  const uint32_t type_number = strings_.of(type ? type : "");
  used_stacks_.note(entry.stack);
  section.number(pending.granule - last_granule_);
  last_granule_ = pending.granule;
  section.number(block.size / heap::kGranule);
  section.number(block.size - entry.requested);
  section.number(
      (pending.reachable ? HEAPRAKE_BLOCK_REACHABLE : 0) | (block.leaf ? HEAPRAKE_BLOCK_LEAF : 0) |
      (entry.ignored ? HEAPRAKE_BLOCK_IGNORED : 0) |
      (entry.inherited ? HEAPRAKE_BLOCK_INHERITED : 0) | (type_number ? HEAPRAKE_BLOCK_TYPED : 0));
  section.number(entry.stack);
  section.number(entry.thread);
  section.number(entry.time_ms);
  if (type_number) section.number(type_number);
}

void BlockSection::send_edges(const Pending& pending, size_t count, Section& section) {
  section.number(count);
  totals_->edges += count;
  uint64_t last_offset = 0;
  for (size_t i = 0; i < count; i++) {
    const Candidate& edge = buffers_->candidates[pending.first_candidate + i];
    section.number(edge.offset - last_offset);
    last_offset = edge.offset;
    section.signed_number(static_cast<int64_t>(edge.target - pending.granule));
    section.number(edge.word - heap::geometry.base - edge.target * heap::kGranule);
  }
}

}  // namespace heaprake::collector
