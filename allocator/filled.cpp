// The memory that blocks cover, page by page.
#include <algorithm>

#include "allocator/starts.h"

namespace heaprake::heap {

namespace {

using platform::Range;

// Ranges that meet become one.
class Joined {
 public:
  explicit Joined(platform::FunctionRef<void(Range)> filled) : filled_(filled) {}
  void add(uintptr_t lo, uintptr_t hi) {
    if (lo >= hi) return;
    if (lo > range_.hi) {
      tell();
      range_.lo = lo;
    }
    range_.hi = std::max(range_.hi, hi);
  }
  void tell() {
    if (range_.size()) filled_(range_);
    range_ = {};
  }

 private:
  platform::FunctionRef<void(Range)> filled_;
  Range range_;
};

}  // namespace

void visit_filled(size_t slice, size_t apart, platform::FunctionRef<void(Range)> filled,
                  platform::FunctionRef<void(const Block&)> large) {
  constexpr size_t kGranulesPerPage = platform::kPageSize / kGranule;
  const uintptr_t lo = geometry.base + slice * kSliceSize, hi = lo + kSliceSize;
  Joined joined(filled);
  uintptr_t told = lo;  // below it lies a block that `large` has been told, or will be
  // `from`: of the page, or of the slice. The block's memory lies in this slice up to hi.
  auto take = [&](uintptr_t from, const Block& block, uintptr_t at_least) {
    const uintptr_t end = std::min(block.address + block.size, hi);
    if (block.size < apart) return joined.add(from, std::max(end, at_least));
    joined.add(from, block.address);
    joined.tell();
    if (block.address >= lo) large(block);
    told = end;
  };
  if (const Block first = find_block(lo); first && first.address < lo) take(lo, first, lo);
  for (uintptr_t page = lo; page < hi; page += platform::kPageSize) {
    const size_t granule = (page - geometry.base) / kGranule;
    // Only the page's last block can reach further than the page.
    const size_t last = last_start(granule, granule + kGranulesPerPage - 1);
    if (last == kNoStart) continue;
    take(std::max(page, told), block_at(last), page + platform::kPageSize);
  }
  joined.tell();
}

}  // namespace heaprake::heap
