#include "collector/verifier.h"

#include <algorithm>
#include <cstring>

#include "collector/kept_blocks.h"

namespace heaprake::collector {

namespace {

using heap::Block;
using platform::Range;

class Verifier {
 public:
  Verifier(const RootSet& roots, const platform::AddressSpace& space, WordRule rule, MarkBits& bits,
           platform::FunctionRef<void(const Miss&)> report)
      : roots_(roots), space_(space), rule_(rule), bits_(bits), report_(report) {}
  ~Verifier() {
    stack_.shrink(0);
    if (seen_) platform::release(seen_, seen_bytes_);
  }
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  size_t run() {
    seen_bytes_ = heap::slice_limit() * heap::kSliceSize / heap::kGranule / 8 + platform::kPageSize;
    seen_ = static_cast<uint8_t*>(platform::map(seen_bytes_));
    ok_ = seen_ != nullptr;
    for (uintptr_t word : roots_.words()) visit(word, Block{}, 0);
    for (const Root& root : roots_.ranges()) scan_root(root);
    for (KeptBlocks* kept : {&frozen, &saved}) {
      kept->for_each([&](const Block& block) { visit(block.address, Block{}, 0); });
    }
    while (ok_ && !stack_.empty()) {
      Block block = stack_.pop();
      scan_block(block);
    }
    return ok_ ? misses_ : SIZE_MAX;
  }

 private:
  void visit(uintptr_t word, const Block& parent, uintptr_t at) {
    if (!ok_) return;
    Block block = heap::find_block(word);
    if (!block) return;
    size_t granule = (block.address - heap::geometry.base) / heap::kGranule;
    uint8_t bit = static_cast<uint8_t>(1u << (granule % 8));
    if (seen_[granule / 8] & bit) return;
    seen_[granule / 8] |= bit;
    if (!bits_.test(granule)) {
      misses_++;
      bits_.test_and_set<false>(granule);
      report_(Miss{block, parent, at});
    }
    if (block.leaf || roots_.protected_blocks().contains(block.address)) return;
    ok_ = stack_.push(block);
  }

  void scan(const char* lo, const char* hi, const Block& parent, unsigned step) {
    for (const char* p = lo; p + sizeof(uintptr_t) <= hi; p += step) {
      uintptr_t word;
      memcpy(&word, p, sizeof word);
      const auto at = reinterpret_cast<uintptr_t>(p);
      visit(word & rule_.keep, parent, at);
      if (!rule_.disguises || (step != 1 && static_cast<size_t>(p - lo) % sizeof word)) continue;
      for_each_disguised(rule_.disguises, word, at, base_of_distances(parent),
                         [&](uintptr_t address) { visit(address, parent, at); });
    }
  }

  void scan_block(const Block& block) {
    Range whole{block.address, block.address + block.size};
    if (block.size < (1 << 20)) return scan_range(whole, block);
    space_.for_each_touched(whole, platform::Pages::kTouched, [&](Range touched) {
      // A word may straddle two touched pieces only where they meet, and then they are one piece.
      scan_range({std::max(touched.lo, whole.lo), std::min(touched.hi, whole.hi)}, block);
    });
  }
  void scan_range(Range range, const Block& parent) { scan_range(range, parent, rule_.alignment); }
  void scan_range(Range range, const Block& parent, unsigned step) {
    scan(reinterpret_cast<const char*>(range.lo), reinterpret_cast<const char*>(range.hi), parent,
         step);
  }

  void scan_root(const Root& root) {
    const unsigned step = root.every_byte ? 1 : rule_.alignment;
    if (!root.guarded) return scan_range(root.range, Block{}, step);
    for (uintptr_t at = root.range.lo; at < root.range.hi; at += platform::kPageSize) {
      char page[platform::kPageSize];
      size_t wanted = std::min<size_t>(root.range.hi - at, sizeof page);
      size_t got = space_.read_guarded(page, at, wanted);
      scan(page, page + got, Block{}, step);
    }
  }

  const RootSet& roots_;
  const platform::AddressSpace& space_;
  const WordRule rule_;
  MarkBits& bits_;
  platform::FunctionRef<void(const Miss&)> report_;
  uint8_t* seen_ = nullptr;
  size_t seen_bytes_ = 0;
  MappedArray<Block> stack_;
  size_t misses_ = 0;
  bool ok_ = false;
};

}  // namespace

size_t verify_marks(const RootSet& roots, const platform::AddressSpace& space, WordRule rule,
                    MarkBits& bits, platform::FunctionRef<void(const Miss&)> report) {
  return Verifier(roots, space, rule, bits, report).run();
}

}  // namespace heaprake::collector
