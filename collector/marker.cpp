#include "collector/marker.h"

#include <algorithm>
#include <new>

#include "collector/mark_work.h"
#include "collector/ready_ring.h"
#include "collector/resolve.h"
#include "collector/unmarked.h"

namespace heaprake::collector {

namespace {

using platform::Range;

struct Shared {
  MarkWork work;
  const RootSet& roots;
  const platform::AddressSpace& space;
  const Filter& filter;
  const Filter byte_filter;  // for roots that say so
  MarkBits& bits;
  std::atomic<size_t> blocks{0};
  std::atomic<size_t> bytes{0};
  std::atomic<bool> unread{false};
};

// One marker thread's state; lives on pages of its own.
template <bool kParallel>
class Worker {
 public:
  explicit Worker(Shared& shared) : shared_(shared), unmarked_words_(shared.filter, shared.bits) {}

  void run(bool first) {
    shared_.work.join();
    if (first) push_words();
    Root piece;
    while (!shared_.work.failed() && shared_.work.next_root(&piece)) scan_root(piece);
    for (size_t slice; !shared_.work.failed() && shared_.work.next_kept(&slice);) keep(slice);
    do {
      drain();
    } while (shared_.work.take(grey_));
    shared_.blocks.fetch_add(blocks_, std::memory_order_relaxed);
    shared_.bytes.fetch_add(bytes_, std::memory_order_relaxed);
    grey_.release();
    words_.shrink(0);
  }

 private:
  static constexpr size_t kPieceBytes = MarkWork::kPieceBytes;
  static constexpr size_t kPieceGranules = kPieceBytes / heap::kGranule;
  // Sizes of the steps' batches. A batch must be long enough that its misses overlap and the next
  // step comes when they are over, and short enough that the lines fetched stay in the cache.
  static constexpr size_t kEdges = 128;
  static constexpr size_t kMany = 256;
  static constexpr size_t kMostUnmarked = kEdges + 2 * kMany;
  static constexpr size_t kBlocks = 32;
  // With fewer items than this in flight latency counts, not throughput.
  static constexpr size_t kNarrow = 12;
  // A worker with fewer grey blocks than this keeps them: handing over costs more.
  static constexpr size_t kFewBlocks = 16;

  void push_words() {
    for (uintptr_t word : shared_.roots.words()) {
      if (!words_.push(word)) shared_.work.fail();
    }
  }

  // Frozen and saved blocks.
  void keep(size_t slice) {
    for (KeptBlocks* kept : {&frozen, &saved}) {
      kept->for_each_in_slice(slice, [&](const heap::Block& block) {
        if (!words_.push(block.address)) shared_.work.fail();
      });
    }
    drain();
  }

  void scan_root(const Root& root) {
    const Filter& filter = root.every_byte ? shared_.byte_filter : shared_.filter;
    if (!root.guarded) {
      scan(root.range, filter);
      return drain();
    }
    for (uintptr_t at = root.range.lo; at < root.range.hi;) {
      size_t wanted = std::min<size_t>(root.range.hi - at, sizeof buffer_);
      size_t got = shared_.space.read_guarded(buffer_, at, wanted);
      auto base = reinterpret_cast<uintptr_t>(buffer_);
      scan({base, base + (got & ~size_t{7})}, filter);
      drain();
      if (got < wanted && root.must_be_read) shared_.unread.store(true, std::memory_order_relaxed);
      // Of the others, what cannot be read cannot be used by the program either: on to the next
      // page.
      at = got == wanted ? at + got : ((at + got) | (platform::kPageSize - 1)) + 1;
    }
  }

  // Candidates go behind the other words. At most kPieceBytes at a time.
  void scan(Range range, const Filter& filter, uintptr_t block = 0) {
    size_t most = filter.capacity_for(range.size());
    if (!words_.reserve(words_.size() + most)) return shared_.work.fail();
    size_t found = filter(reinterpret_cast<const void*>(range.lo),
                          reinterpret_cast<const void*>(range.hi), words_.end(), block);
    words_.set_size(words_.size() + found);
  }

  // Step 1: the blocks that were fetched first give words; enough of them for now.
  void scan_ready() {
    const bool together = shared_.filter.reads_together();
    for (size_t i = 0; i < kBlocks && !ready_.empty() && words_.size() < kEdges; i++) {
      const size_t count = together ? ready_.short_ones(kBlocks - i) : 0;
      if (count) {
        i += scan_short(count) - 1;
        continue;
      }
      Piece& next = ready_.front();
      if (next.granules > kPieceGranules) [[unlikely]] {
        push_rest_of(next);
        next.granules = kPieceGranules;
      }
      if (is_long(next)) break;
      const Piece block = next;
      ready_.drop(1);
      uintptr_t lo = heap::geometry.base + block.granule * heap::kGranule;
      scan({lo, lo + block.granules * heap::kGranule}, shared_.filter, block_of_distances(block));
    }
  }
  // So many of them, until there are words enough; returns how many pieces were read.
  size_t scan_short(size_t count) {
    constexpr size_t kMostBytes = Filter::kShort * heap::kGranule;
    if (!words_.reserve(kEdges + shared_.filter.capacity_for(kBlocks * kMostBytes))) {
      shared_.work.fail();
      return count;
    }
    size_t found = words_.size();
    const size_t done =
        shared_.filter.of_short(&ready_.front(), count, kEdges - found, words_.end(), &found);
    words_.set_size(found);
    ready_.drop(done);
    return done;
  }
  // Where the block begins, if words in it count as distances.
  uintptr_t block_of_distances(const Piece& piece) const {
    if (!(shared_.filter.rule.disguises & kDistance)) [[likely]]
      return 0;
    // Within a block nothing stands on the map, so this is none for what is left of a large one.
    return base_of_distances(heap::block_at(piece.granule));
  }
  // The next piece begins a granule earlier, for 4-aligned words that straddle.
  void push_rest_of(const Piece& block) {
    constexpr size_t kStep = kPieceGranules - 1;
    if (!grey_.reserve(1)) return shared_.work.fail();
    grey_.push({block.granule + kStep, block.granules - kStep});
  }

  // Step 2: words become edges, and their mark words are fetched. If there is little to do
  // meanwhile everything else that they may lead to is fetched at once.
  template <bool kNarrowly>
  void load_edges() {
    const MarkBits::Reader bits(shared_.bits);
    const Resolver::Range range = resolver_.range();
    size_t at = next_word_, end = std::min(words_.size(), at + kEdges - edge_count_);
    for (; at < end; at++) {
      size_t granule = range.granule_of(words_[at]);
      if (granule == SIZE_MAX) continue;
      if constexpr (kNarrowly) {
        prefetch_content(granule);
        resolver_.prefetch(granule);
      }
      bits.prefetch(granule);
      edges_[edge_count_++] = granule;
    }
    next_word_ = at;
    drop_done_words();
  }

  // Step 3: edges to the start of a marked block go no further, as most do; map lines are fetched
  // for the others. No branch depends on the marks, since nobody could predict it. The fetches
  // stand close together: one that misses the TLB holds up all that is far behind it.
  void test_edges() {
    const MarkBits::Reader bits(shared_.bits);
    size_t count = 0;
    for (size_t i = 0; i < edge_count_; i++) {
      unmarked_[count] = edges_[i];
      count += !bits.test(edges_[i]);
    }
    edge_count_ = 0;
    fetch_unmarked(0, count);
  }
  void fetch_unmarked(size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
      resolver_.prefetch(unmarked_[i]);
      if constexpr (kParallel) shared_.bits.prefetch_to_set(unmarked_[i]);
    }
    unmarked_count_ = to;
  }

  // Steps 1 to 3 in one, for the many words of a large block: the processor itself overlaps the
  // misses of a loop without a branch that depends on them.
  void read_long() {
    if (ready_.empty() || !is_long(ready_.front())) return;
    if (kMostUnmarked - unmarked_count_ < Unmarked::kMost) return;
    Piece& piece = ready_.front();
    const size_t from = unmarked_count_;
    size_t to = from;
    const size_t read = unmarked_words_(piece, unmarked_, kMostUnmarked, &to);
    if (read == piece.granules) {
      ready_.drop(1);
    } else {
      piece = {piece.granule + read - 1, piece.granules - read + 1};
    }
    fetch_unmarked(from, to);
  }
  bool is_long(const Piece& piece) const {
    return piece.granules >= Unmarked::kLong && unmarked_words_.usable();
  }

  // Steps 2 and 3 in one, where that cannot be.
  void test_words() {
    const MarkBits::Reader bits(shared_.bits);
    const Resolver::Range range = resolver_.range();
    size_t count = unmarked_count_;
    while (words_.size() - next_word_ >= kMany && count + kMany <= kMostUnmarked) {
      const uintptr_t* words = &words_[next_word_];
      for (size_t i = 0; i < kMany; i++) {
        size_t granule = range.granule_of(words[i]);
        if (granule == SIZE_MAX) [[unlikely]]
          continue;
        unmarked_[count] = granule;
        count += !bits.test(granule);
      }
      next_word_ += kMany;
    }
    fetch_unmarked(unmarked_count_, count);
    drop_done_words();
  }
  void drop_done_words() {
    if (next_word_ < words_.size()) return;
    words_.clear();
    next_word_ = 0;
  }

  // Step 4: edges lead to blocks, and those become grey. Narrowly they are ready at once: so the
  // processor may go on to their content while the map's answer is still on its way.
  template <bool kNarrowly>
  void resolve_edges() {
    if (!unmarked_count_) return;
    if (!grey_.reserve(unmarked_count_)) return shared_.work.fail();
    for (size_t i = 0; i < unmarked_count_; i++) {
      if (!shared_.bits.covers(unmarked_[i])) continue;
      Resolved block = resolver_.resolve(unmarked_[i]);
      // The bit of a granule at which no block begins means nothing afterwards. Until then it
      // spares another such word the search for its block, as if the block had been seen marked.
      if (block.granule != unmarked_[i]) shared_.bits.test_and_set<kParallel>(unmarked_[i]);
      if (!block.found() || !shared_.bits.test_and_set<kParallel>(block.granule)) continue;
      blocks_++;
      bytes_ += block.size;
      if (block.leaf) continue;
      if (block.size >= kSparseBytes) [[unlikely]] {
        push_touched(block);
        if (!grey_.reserve(unmarked_count_)) return shared_.work.fail();
      } else if (kNarrowly && ready_.room()) {
        ready_.push({block.granule, block.size / heap::kGranule});
      } else {
        grey_.push({block.granule, block.size / heap::kGranule});
      }
    }
    unmarked_count_ = 0;
  }
  __attribute__((noinline)) void push_touched(const Resolved& block) {
    uintptr_t lo = heap::geometry.base + block.granule * heap::kGranule;
    Range whole{lo, lo + block.size};
    shared_.space.for_each_touched(whole, platform::Pages::kTouched, [&](Range touched) {
      push_range({std::max(touched.lo, whole.lo), std::min(touched.hi, whole.hi)});
    });
  }
  void push_range(Range range) {
    if (range.lo >= range.hi) return;
    size_t granule = (range.lo - heap::geometry.base) / heap::kGranule;
    size_t granules = range.size() / heap::kGranule;
    // Parts overlap by a granule, as pieces do.
    for (constexpr size_t kMost = Grey::kMaxGranules;;
         granule += kMost - 1, granules -= kMost - 1) {
      if (!grey_.reserve(1)) return shared_.work.fail();
      grey_.push({granule, std::min(granules, kMost)});
      if (granules <= kMost) return;
    }
  }

  // Step 5: the first lines of the next blocks to be scanned are fetched, two batches ahead.
  void fetch_blocks() {
    size_t count = std::min(grey_.size(), ready_.room());
    for (size_t i = 0; i < count; i++) {
      Grey grey = grey_.pop();
      ready_.push({grey.granule(), grey.granules()});
      prefetch_content(grey.granule());
      // Many blocks of up to a line's length lie across two lines.
      if (grey.granule() % 4 + grey.granules() > 4) prefetch_content(grey.granule() + 4);
    }
  }
  void prefetch_content(size_t granule) const {
    auto* line = reinterpret_cast<const char*>(heap::geometry.base + granule * heap::kGranule);
    __builtin_prefetch(line, 0, 2);
  }

  size_t in_flight() const {
    return words_.size() - next_word_ + edge_count_ + unmarked_count_ + ready_.size() +
           grey_.size();
  }

  void drain() {
    while (!shared_.work.failed()) {
      size_t width = in_flight();
      if (width == 0) return;
      if (words_.empty()) scan_ready();
      if (width < kNarrow) {
        // All steps in turn, for the shortest way from a block to its child.
        load_edges<true>();
        resolve_edges<true>();
        test_edges();
        resolve_edges<true>();
        fetch_blocks();
        read_long();
      } else {
        // Backwards, so that a whole turn lies between a step and the next.
        resolve_edges<false>();
        fetch_blocks();
        test_edges();
        if (words_.size() - next_word_ >= kMany) {
          test_words();
        } else {
          load_edges<false>();
        }
        if (words_.empty()) read_long();
      }
      if constexpr (kParallel) {
        if (shared_.work.hungry()) share();
      }
    }
  }

  __attribute__((noinline)) void share() {
    if (grey_.size() >= kFewBlocks) return shared_.work.give(grey_);
    // Few blocks, but one may be large.
    if (grey_.empty() || grey_.top().granules() < 2 * kPieceGranules) return;
    Grey whole = grey_.pop();
    size_t half = whole.granules() / 2;
    if (!grey_.reserve(2)) return shared_.work.fail();
    grey_.push({whole.granule() + half - 1, whole.granules() - half + 1});
    grey_.push({whole.granule(), half});
    shared_.work.give(grey_);
  }

  Shared& shared_;
  const Resolver resolver_;
  const Unmarked unmarked_words_;
  MappedArray<uintptr_t> words_;  // candidates; those before next_word_ are done with
  size_t next_word_ = 0;
  size_t edges_[kEdges];  // granules whose mark word is on its way
  size_t edge_count_ = 0;
  size_t unmarked_[kMostUnmarked];  // granules whose map line is on its way
  size_t unmarked_count_ = 0;
  ReadyRing<2 * kBlocks> ready_;
  GreyStack grey_;
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

// They are alive, and their content is among the roots.
void mark_protected(Shared& shared) {
  for (const heap::Block& block : shared.roots.protected_blocks().blocks()) {
    shared.bits.test_and_set<false>((block.address - heap::geometry.base) / heap::kGranule);
    shared.blocks.fetch_add(1, std::memory_order_relaxed);
    shared.bytes.fetch_add(block.size, std::memory_order_relaxed);
  }
}

}  // namespace

MarkResult mark(const RootSet& roots, const platform::AddressSpace& space, const Filter& filter,
                unsigned workers, MarkBits& bits) {
  Shared shared{MarkWork(roots),
                roots,
                space,
                filter,
                Filter::for_heap({1, filter.rule.keep, filter.rule.disguises}),
                bits,
                {},
                {},
                {}};
  mark_protected(shared);
  if (workers > 1) {
    platform::run_parallel(workers, run_worker<true>, &shared);
  } else {
    run_worker<false>(&shared, 0);
  }
  return {!shared.work.failed(), shared.blocks.load(), shared.bytes.load(), shared.unread.load()};
}

}  // namespace heaprake::collector
