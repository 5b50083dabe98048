// Who refers to whom: reference counts and referrers, by one linear pass over roots and blocks.

#include <algorithm>
#include <atomic>
#include <cstring>

#include "collector/cpu.h"
#include "collector/cycle.h"
#include "collector/pins.h"
#include "collector/session.h"

namespace heaprake::collector {

namespace {

using heap::Block;
using platform::Range;

// How many words of [lo, hi) lie in [first, first + size).
__attribute__((target("avx2"))) size_t count_avx2(const uint64_t* lo, const uint64_t* hi,
                                                  uint64_t keep, uint64_t first, uint64_t size) {
  // Unsigned comparison by way of the signed one: both sides shifted by 2^63.
  const __m256i start = _mm256_set1_epi64x(static_cast<int64_t>(first ^ uint64_t{1} << 63));
  const __m256i limit = _mm256_set1_epi64x(static_cast<int64_t>(size ^ uint64_t{1} << 63));
  const __m256i kept = _mm256_set1_epi64x(static_cast<int64_t>(keep));
  __m256i hits = _mm256_setzero_si256();
  for (; lo + 4 <= hi; lo += 4) {
    __m256i words =
        _mm256_and_si256(kept, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(lo)));
    // A hit is all ones, that is -1.
    hits = _mm256_sub_epi64(hits, _mm256_cmpgt_epi64(limit, _mm256_sub_epi64(words, start)));
  }
  alignas(32) size_t lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), hits);
  size_t count = lanes[0] + lanes[1] + lanes[2] + lanes[3];
  for (; lo < hi; lo++) count += (*lo & keep) - first < size;
  return count;
}
size_t count_scalar(const uint64_t* lo, const uint64_t* hi, uint64_t keep, uint64_t first,
                    uint64_t size) {
  size_t count = 0;
  for (; lo < hi; lo++) count += (*lo & keep) - first < size;
  return count;
}

// The census knows words at 8-byte boundaries, or at every byte where the marker does.
WordRule census_rule() {
  WordRule rule = word_rule();
  if (rule.alignment != 1) rule.alignment = sizeof(uintptr_t);
  return rule;
}

// Walks everything that may hold a reference to one block; world stopped.
class Census {
 public:
  // found(root, holder, address of the word): exactly one of root and holder is given.
  using Found = platform::FunctionRef<void(const Root*, const Block*, uintptr_t)>;

  Census(const Block& target, const platform::AddressSpace& space, const RootSet& roots,
         Found* found)
      : target_(target), space_(space), roots_(roots), found_(found) {}

  void walk() {
    for (const Root& root : roots_.ranges()) visit_root(root);
    // A distance counts from the block that it stands in.
    if (!roots_.protected_blocks().blocks().empty() || rule_.disguises & kDistance)
      return walk_block_by_block();
    // What is found is told in the order of addresses, so by one.
    platform::run_parallel(found_ ? 1 : markers_for(heap::committed_bytes()), walk_slices, this);
  }
  size_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  // Slices that a worker takes at a time.
  static constexpr size_t kSlices = 16;
  // Memory in which words are looked at again, one by one, if one of them refers to the target.
  static constexpr size_t kPieceBytes = platform::kPageSize;

  void walk_block_by_block() {
    heap::for_each_block([&](const Block& block) {
      if (!block.leaf && !roots_.protected_blocks().contains(block.address)) visit_block(block);
      return true;
    });
  }

  static void walk_slices(void* arg, unsigned) {
    auto* census = static_cast<Census*>(arg);
    for (size_t slice, end; census->next_slices(&slice, &end);) {
      for (; slice < end; slice = heap::next_used_slice(slice + 1)) census->visit_slice(slice);
    }
  }
  // The next used slice and where the others that go with it end. false: none is left.
  bool next_slices(size_t* first, size_t* end) {
    size_t next = next_slice_.load(std::memory_order_relaxed);
    do {
      // Wide blocks lie far above the others: what lies between is passed over once.
      *first = heap::next_used_slice(next);
      if (*first >= heap::slice_limit()) return false;
      *end = std::min(*first + kSlices, heap::slice_limit());
    } while (!next_slice_.compare_exchange_weak(next, *end, std::memory_order_relaxed));
    return true;
  }

  void visit_slice(size_t slice) {
    heap::visit_filled(
        slice, kSparseBytes, [&](Range range) { visit_filled(range); },
        [&](const Block& block) {
          if (!block.leaf) visit_block(block);
        });
  }

  // Faster than block by block, by far: where nothing is found nobody need know what blocks lie
  // there.
  void visit_filled(Range range) {
    for (uintptr_t at = range.lo; at < range.hi; at += kPieceBytes) {
      // With those words that begin in this piece and end in the next.
      const uintptr_t further = sizeof(uintptr_t) - rule_.alignment;
      const Range piece{at, std::min(at + kPieceBytes + further, range.hi)};
      if (!count_in(piece, 0)) continue;
      for_each_hit(piece, 0, [&](uintptr_t address) {
        // Free memory between blocks keeps what stood there.
        const Block holder = heap::find_block(address);
        if (holder && !holder.leaf && address + sizeof(uintptr_t) <= holder.address + holder.size)
          take(1, nullptr, &holder, address);
      });
    }
  }

  // `base`: as for_each_disguised has it.
  size_t count_in(Range range, uintptr_t base) const {
    if (any_form_) [[unlikely]] {
      size_t count = 0;
      for_each_hit(range, base, [&](uintptr_t) { ++count; });
      return count;
    }
    auto* count = cpu().avx2 ? count_avx2 : count_scalar;
    return count(reinterpret_cast<const uint64_t*>(range.lo),
                 reinterpret_cast<const uint64_t*>(range.hi), rule_.keep, target_.address,
                 target_.size);
  }
  template <class Visit>
  void for_each_hit(Range range, uintptr_t base, Visit visit) const {
    for (uintptr_t at = range.lo; at + sizeof(uintptr_t) <= range.hi; at += rule_.alignment) {
      uint64_t word;
      memcpy(&word, reinterpret_cast<const void*>(at), sizeof word);
      bool hit = false;
      for_each_meaning(rule_, word, at, base, [&](uintptr_t address) {
        hit = hit || address - target_.address < target_.size;
      });
      if (hit) visit(at);
    }
  }
  void take(size_t count, const Root* root, const Block* holder, uintptr_t at) {
    count_.fetch_add(count, std::memory_order_relaxed);
    if (found_) (*found_)(root, holder, at);
  }

  // `shown`: where the words lie in the program, if the range is a copy of them.
  void visit(Range range, uintptr_t shown, const Root* root, const Block* holder) {
    const uintptr_t base = holder ? base_of_distances(*holder) : 0;
    const size_t here = count_in(range, base);
    if (!here) return;
    if (!found_) return take(here, root, holder, 0);
    for_each_hit(range, base,
                 [&](uintptr_t at) { take(1, root, holder, shown + (at - range.lo)); });
  }

  void visit_root(const Root& root) {
    if (!root.guarded) return visit(root.range, root.range.lo, &root, nullptr);
    for (uintptr_t at = root.range.lo; at < root.range.hi;) {
      uint64_t copy[512];
      size_t wanted = std::min<size_t>(root.range.hi - at, sizeof copy);
      size_t got = space_.read_guarded(copy, at, wanted);
      auto base = reinterpret_cast<uintptr_t>(copy);
      visit({base, base + (got & ~size_t{7})}, at, &root, nullptr);
      at = got == wanted ? at + got : ((at + got) | (platform::kPageSize - 1)) + 1;
    }
  }

  void visit_block(const Block& block) {
    Range whole{block.address, block.address + block.size};
    if (block.size < kSparseBytes) return visit(whole, whole.lo, nullptr, &block);
    space_.for_each_touched(whole, platform::Pages::kTouched, [&](Range touched) {
      Range part{std::max(touched.lo, whole.lo), std::min(touched.hi, whole.hi)};
      if (part.lo < part.hi) visit(part, part.lo, nullptr, &block);
    });
  }

  const Block target_;
  const WordRule rule_ = census_rule();
  // Else words are plain, and the fast way serves.
  const bool any_form_ = rule_.disguises || rule_.alignment == 1;
  const platform::AddressSpace& space_;
  const RootSet& roots_;
  Found* found_;
  std::atomic<size_t> next_slice_{0};
  std::atomic<size_t> count_{0};
};

// Stops the world, walks, resumes. false: could not be stopped.
bool take_census(const Block& block, const platform::StoppedThread& self, bool with_names,
                 Census::Found* found, size_t* count) {
  bool ok = false;
  bool ran = run_session(self, Wait::kYes, [&] {
    StoppedWorld world(self, state.roots, with_names);
    if (!world.ok()) return;
    Census census(block, world.space(), state.roots, found);
    census.walk();
    *count = census.count();
    if (pins.is_pinned(block.address)) {
      ++*count;
      if (found) (*found)(nullptr, nullptr, 0);
    }
    ok = true;
  });
  return ran && ok;
}

gc_reference describe(const Root* root, const Block* holder, uintptr_t at) {
  if (holder) return {GC_REFERENCE_BLOCK, holder->address, at - holder->address, ""};
  if (root) {
    uintptr_t of_block = root->kind == GC_REFERENCE_BLOCK ? root->origin : 0;
    return {root->kind, of_block, at - root->origin, root->name};
  }
  return {GC_REFERENCE_PINNED, 0, 0, "[pinned]"};
}

}  // namespace

bool count_references(const Block& block, const platform::StoppedThread& self, size_t* count) {
  return take_census(block, self, false, nullptr, count);
}

bool list_references(const Block& block, const platform::StoppedThread& self, gc_reference* out,
                     size_t capacity, size_t* count) {
  // Written while the world is stopped, so not to the caller's buffer: that may be a page that the
  // program has protected, and a fault would leave the world standing.
  MappedArray<gc_reference> kept;
  bool room = true;
  auto keep = [&](const Root* root, const Block* holder, uintptr_t at) {
    if (kept.size() < capacity) room = room && kept.push(describe(root, holder, at));
  };
  Census::Found found(keep);
  bool ok = take_census(block, self, true, &found, count) && room;
  if (ok && !kept.empty()) memcpy(out, kept.data(), kept.size() * sizeof(gc_reference));
  kept.shrink(0);
  return ok;
}

// Libraries that were loaded after the last look at the roots do not count yet.
size_t list_referents(const Block& block, uintptr_t* out, size_t capacity) {
  if (block.leaf) return 0;
  if (!state.roots.disguises_known())
    run_session_here(Wait::kYes, [] { state.roots.look_for_disguises(); });
  const WordRule rule = census_rule();
  size_t count = 0;
  // The program may have protected a page of it, or free it meanwhile.
  platform::AddressSpace space;
  char copy[platform::kPageSize];
  // Words that begin in one piece and end in the next are whole in the next.
  const size_t step = sizeof copy - (sizeof(uintptr_t) - rule.alignment);
  for (size_t offset = 0; offset < block.size; offset += step) {
    size_t wanted = std::min(block.size - offset, sizeof copy);
    size_t got = space.read_guarded(copy, block.address + offset, wanted);
    for (size_t i = 0; i + sizeof(uintptr_t) <= got; i += rule.alignment) {
      uintptr_t word;
      memcpy(&word, copy + i, sizeof word);
      const uintptr_t at = block.address + offset + i;
      for_each_meaning(rule, word, at, base_of_distances(block), [&](uintptr_t address) {
        Block target = heap::find_block(address);
        if (!target) return;
        if (count < capacity) out[count] = target.address;
        count++;
      });
    }
  }
  return count;
}

}  // namespace heaprake::collector
