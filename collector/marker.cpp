#include "collector/marker.h"

#include <algorithm>
#include <new>

#include "collector/mark_work.h"
#include "collector/resolve.h"

namespace heaprake::collector {

namespace {

using platform::Range;

// First in, first out, of a fixed size: the distance between a prefetch and its use.
template <class T, unsigned kCapacity>
class Ring {
  static_assert((kCapacity & (kCapacity - 1)) == 0);

 public:
  bool full() const { return tail_ - head_ == kCapacity; }
  bool empty() const { return tail_ == head_; }
  void push(const T& value) { items_[tail_++ % kCapacity] = value; }
  T pop() { return items_[head_++ % kCapacity]; }

 private:
  T items_[kCapacity];
  unsigned head_ = 0;
  unsigned tail_ = 0;
};

struct Shared {
  MarkWork work;
  const RootSet& roots;
  const platform::AddressSpace& space;
  const Filter& filter;
  MarkBits& bits;
  std::atomic<size_t> blocks{0};
  std::atomic<size_t> bytes{0};
};

// One marker thread's state; lives on pages of its own.
template <bool kParallel>
class Worker {
 public:
  explicit Worker(Shared& shared) : shared_(shared) {}

  void run(bool first) {
    shared_.work.join();
    if (first) push_words();
    Root piece;
    while (!shared_.work.failed() && shared_.work.next_root(&piece)) {
      scan_root(piece);
      drain();
    }
    do {
      drain();
    } while (shared_.work.take(stack_));
    shared_.blocks.fetch_add(blocks_, std::memory_order_relaxed);
    shared_.bytes.fetch_add(bytes_, std::memory_order_relaxed);
    stack_.shrink(0);
    pieces_.shrink(0);
  }

 private:
  static constexpr size_t kPieceBytes = MarkWork::kPieceBytes;
  // From this size on a block's untouched pages are looked for, and left untouched.
  static constexpr size_t kSparseBytes = 1 << 20;

  void push_words() {
    for (uintptr_t word : shared_.roots.words()) {
      if (!stack_.push(word)) shared_.work.fail();
    }
  }

  void scan_root(const Root& root) {
    if (!root.guarded) return scan(root.range);
    for (uintptr_t at = root.range.lo; at < root.range.hi;) {
      size_t wanted = std::min<size_t>(root.range.hi - at, sizeof buffer_);
      size_t got = shared_.space.read_guarded(buffer_, at, wanted);
      auto base = reinterpret_cast<uintptr_t>(buffer_);
      scan({base, base + (got & ~size_t{7})});
      // What cannot be read cannot be used by the program either: on to the next page.
      at = got == wanted ? at + got : ((at + got) | (platform::kPageSize - 1)) + 1;
    }
  }

  // Candidates in the range go to the stack. At most kPieceBytes at a time.
  void scan(Range range) {
    size_t most = shared_.filter.capacity_for(range.size());
    if (!stack_.reserve(stack_.size() + most)) return shared_.work.fail();
    size_t found = shared_.filter(reinterpret_cast<const void*>(range.lo),
                                  reinterpret_cast<const void*>(range.hi), stack_.end());
    stack_.set_size(stack_.size() + found);
  }

  void scan_block(Range block) {
    if (block.size() <= kPieceBytes) return scan(block);
    if (block.size() < kSparseBytes) return queue_pieces(block);
    shared_.space.for_each_touched(block, platform::Pages::kTouched, [&](Range touched) {
      queue_pieces({std::max(touched.lo, block.lo), std::min(touched.hi, block.hi)});
    });
  }
  // Later pieces begin a word earlier, for 4-aligned words that straddle.
  void queue_pieces(Range range) {
    if (range.lo < range.hi && !pieces_.push(range)) shared_.work.fail();
  }
  bool scan_next_piece() {
    if (pieces_.empty()) return false;
    Range& rest = pieces_[pieces_.size() - 1];
    Range piece = rest;
    if (piece.size() > kPieceBytes) {
      piece.hi = piece.lo + kPieceBytes;
      rest.lo = piece.hi - sizeof(uintptr_t);
    } else {
      pieces_.pop();
    }
    scan(piece);
    return true;
  }

  // Moves edges from the stack to the first ring until it is full.
  void fill_edges() {
    while (!edges_.full() && !stack_.empty()) {
      size_t granule = resolver_.granule_of(stack_.pop());
      if (granule == SIZE_MAX || !shared_.bits.covers(granule)) continue;
      shared_.bits.prefetch(granule);
      edges_.push(granule);
    }
  }

  // An edge that points at the start of a marked block goes no further: most of them do.
  void test_edge() {
    size_t granule = edges_.pop();
    if (shared_.bits.test(granule)) return;
    if (unmarked_.full()) follow_edge();
    resolver_.prefetch(granule);
    unmarked_.push(granule);
  }

  void follow_edge() {
    Resolved block = resolver_.resolve(unmarked_.pop());
    if (!block.found() || !shared_.bits.test_and_set<kParallel>(block.granule)) return;
    blocks_++;
    bytes_ += block.size;
    if (block.leaf) return;
    uintptr_t lo = heap::geometry.base + block.granule * heap::kGranule;
    __builtin_prefetch(reinterpret_cast<const void*>(lo));
    if (objects_.full()) scan_block(objects_.pop());
    objects_.push({lo, lo + block.size});
  }

  void drain() {
    for (unsigned turn = 0;; turn++) {
      fill_edges();
      if (!edges_.empty()) {
        test_edge();
      } else if (!unmarked_.empty()) {
        follow_edge();
      } else if (!objects_.empty()) {
        scan_block(objects_.pop());
      } else if (!scan_next_piece()) {
        return;
      }
      if constexpr (kParallel) {
        if (turn % 64 == 0 && stack_.size() > 2 * MarkWork::kChunkEdges &&
            shared_.work.someone_idle()) {
          shared_.work.give(stack_);
        }
      }
      if (shared_.work.failed()) return;
    }
  }

  Shared& shared_;
  const Resolver resolver_;
  Ring<size_t, 32> edges_;     // granules whose mark word is on its way
  Ring<size_t, 16> unmarked_;  // granules whose map line is on its way
  Ring<Range, 32> objects_;    // blocks whose first line is on its way
  MappedArray<uintptr_t> stack_;
  MappedArray<Range> pieces_;  // parts of large blocks still to be scanned
  size_t blocks_ = 0;
  size_t bytes_ = 0;
  alignas(64) char buffer_[kPieceBytes];  // copies of memory that may fault
};

template <bool kParallel>
void run_worker(void* arg, unsigned index) {
  auto& shared = *static_cast<Shared*>(arg);
  using W = Worker<kParallel>;
  void* pages = platform::map(sizeof(W));
  if (!pages) {
    // A helper that cannot start leaves the work to the others; the first one is needed.
    if (index == 0) shared.work.fail();
    return;
  }
  auto* worker = new (pages) W(shared);
  worker->run(index == 0);
  platform::release(pages, sizeof(W));
}

}  // namespace

MarkResult mark(const RootSet& roots, const platform::AddressSpace& space, const Filter& filter,
                unsigned workers, MarkBits& bits) {
  Shared shared{MarkWork(roots), roots, space, filter, bits, {}, {}};
  if (workers > 1) {
    platform::run_parallel(workers, run_worker<true>, &shared);
  } else {
    run_worker<false>(&shared, 0);
  }
  return {!shared.work.failed(), shared.blocks.load(), shared.bytes.load()};
}

}  // namespace heaprake::collector
