// Which pages of a mapping exist. PAGEMAP_SCAN (Linux 6.7) tells it range by range; before that the
// words of /proc/self/pagemap do, page by page. Of shared mappings mincore tells what is in the
// page cache, but it calls a page absent that is swapped out. It also serves private mappings where
// pagemap may not be read. A large reservation of shared memory takes long, 17 ms a GiB: each page
// is looked up in the object behind it, and nothing cheaper tells what another process, or this one
// before it dropped its page table entries, has written there.
#include <linux/ioctl.h>
#include <sys/sysinfo.h>

#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

// The kernel's struct pm_scan_arg and struct page_region; older headers lack them.
struct ScanRequest {
  uint64_t size, flags, start, end, walk_end, vector, vector_length, max_pages;
  uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
static_assert(sizeof(ScanRequest) == 96);
struct ScanRegion {
  uint64_t start, end, categories;
};
constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanRequest);
constexpr uint64_t kFile = 1u << 2, kPresent = 1u << 3, kSwapped = 1u << 4, kZeroPage = 1u << 5;

// Bits of a pagemap word.
constexpr uint64_t kWordPresent = 1ull << 63, kWordSwapped = 1ull << 62, kWordFile = 1ull << 61;

// A hidden mapping larger than this is not looked at word by word: mincore is faster, 130 ms a TiB.
constexpr size_t kMostHidden = size_t{1} << 30;

// Mappings no farther apart are scanned together: what lies between them, a guard page or the dead
// part of a stack, is looked at for nothing.
constexpr size_t kNear = 16 * kPageSize;

Range page_aligned(Range range) {
  return {range.lo & ~(kPageSize - 1), (range.hi + kPageSize - 1) & ~(kPageSize - 1)};
}

uint64_t excluded_categories(Pages which) {
  return which == Pages::kPrivate ? kZeroPage | kFile : kZeroPage;
}

// Cuts what is found, in address order, to the queries that it belongs to, and joins neighbouring
// pieces of one query before they are shown.
class Cutter {
 public:
  using Visit = FunctionRef<void(size_t, Range)>;
  Cutter(const PageQuery* queries, size_t first, size_t end, Visit visit)
      : queries_(queries), at_(first), end_(end), visit_(visit) {}
  void add(Range found) {
    while (at_ < end_ && page_aligned(queries_[at_].range).hi <= found.lo) ++at_;
    // Two queries may share a page.
    for (size_t i = at_; i < end_; ++i) {
      const Range wanted = page_aligned(queries_[i].range);
      if (wanted.lo >= found.hi) break;
      hold(i, {wanted.lo > found.lo ? wanted.lo : found.lo,
               wanted.hi < found.hi ? wanted.hi : found.hi});
    }
  }
  void flush() {
    if (held_.lo < held_.hi) visit_(query_, held_);
    held_ = {};
  }

 private:
  void hold(size_t query, Range piece) {
    if (query == query_ && piece.lo == held_.hi) {
      held_.hi = piece.hi;
      return;
    }
    flush();
    query_ = query;
    held_ = piece;
  }

  const PageQuery* queries_;
  size_t at_, end_;   // those that may still be met
  size_t query_ = 0;  // that held_ belongs to
  Range held_;
  Visit visit_;
};

// A page that counts as swapped may in truth be a guard page (MADV_GUARD_INSTALL) or a poisoned
// one, whose reading kills: only those that the kernel itself can read are shown.
void add_readable_pages(const AddressSpace& space, Range range, Cutter* cutter) {
  char byte;
  for (uintptr_t page = range.lo; page < range.hi; page += kPageSize)
    if (space.read_guarded(&byte, page, 1) == 1) cutter->add({page, page + kPageSize});
}

// As far as the kernel tells; nothing below *done has been left out.
void scan(const AddressSpace& space, int pagemap, Range range, Pages which, Cutter* cutter,
          uintptr_t* done) {
  constexpr size_t kRegions = 64;
  ScanRegion regions[kRegions];
  const uint64_t excluded = excluded_categories(which);
  while (*done < range.hi) {
    ScanRequest request{};
    request.size = sizeof request;
    request.start = *done;
    request.end = range.hi;
    request.vector = reinterpret_cast<uint64_t>(regions);
    request.vector_length = kRegions;
    request.category_inverted = request.category_mask = excluded;
    request.category_anyof_mask = kPresent | kSwapped;
    request.return_mask = kSwapped;
    const long count = sys::call(SYS_ioctl, pagemap, kPagemapScan, &request);
    if (sys::failed(count) || request.walk_end <= *done) return;
    for (long i = 0; i < count; ++i) {
      const Range found{regions[i].start, regions[i].end};
      if ((regions[i].categories & kSwapped) != 0) {
        add_readable_pages(space, found, cutter);
      } else {
        cutter->add(found);
      }
    }
    *done = request.walk_end;
  }
}

bool read_words(const AddressSpace& space, int pagemap, Range range, Pages which, Cutter* cutter,
                uintptr_t* done) {
  constexpr size_t kWords = 512;
  uint64_t words[kWords];
  while (*done < range.hi) {
    const size_t left = (range.hi - *done) / kPageSize;
    const size_t wanted = left < kWords ? left : kWords;
    const long got = sys::call(SYS_pread64, pagemap, words, wanted * 8, *done / kPageSize * 8);
    if (got < 8) return false;
    for (long i = 0; i < got / 8; ++i, *done += kPageSize) {
      if ((words[i] & (kWordPresent | kWordSwapped)) == 0) continue;
      if (which == Pages::kPrivate && (words[i] & kWordFile) != 0) continue;
      const Range page{*done, *done + kPageSize};
      if ((words[i] & kWordSwapped) != 0) {
        add_readable_pages(space, page, cutter);
      } else {
        cutter->add(page);
      }
    }
  }
  return true;
}

// mincore: which pages are in memory, of a shared mapping in the page cache, of an anonymous one in
// this process's page tables.
bool scan_page_cache(Range range, Cutter* cutter, uintptr_t* done) {
  constexpr size_t kPages = 4096;
  // A word at a time, as most are empty; the kernel fills whole pages of the range.
  constexpr size_t kTogether = sizeof(uint64_t);
  alignas(kTogether) unsigned char resident[kPages] = {};
  while (*done < range.hi) {
    const size_t left = (range.hi - *done) / kPageSize;
    const size_t pages = left < kPages ? left : kPages;
    if (sys::failed(sys::call(SYS_mincore, *done, pages * kPageSize, resident))) return false;
    for (size_t i = 0; i < pages; ++i) {
      uint64_t together;
      if (i % kTogether == 0 && i + kTogether <= pages) {
        __builtin_memcpy(&together, resident + i, kTogether);
        if (together == 0) {
          i += kTogether - 1;
          continue;
        }
      }
      const uintptr_t page = *done + i * kPageSize;
      if ((resident[i] & 1) != 0) cutter->add({page, page + kPageSize});
    }
    *done += pages * kPageSize;
  }
  return true;
}

bool swap_is_in_use() {
  struct sysinfo info {};
  return sys::failed(sys::call(SYS_sysinfo, &info)) || info.freeswap != info.totalswap;
}

bool is_shared(Pages which) {
  return which == Pages::kShared || which == Pages::kSharedFile;
}

// Whether one scan serves for both, of which `next` comes later.
bool are_scanned_together(const PageQuery& query, const PageQuery& next) {
  return !is_shared(query.which) && !is_shared(next.which) &&
         excluded_categories(query.which) == excluded_categories(next.which) &&
         next.range.lo <= query.range.hi + kNear;
}

}  // namespace

// Where scanning does not serve. Tells what lies behind `done`.
void AddressSpace::ask_page_by_page(const PageQuery& query, uintptr_t done,
                                    FunctionRef<void(Range)> visit) const {
  const auto tell = [&](size_t, Range part) { visit(part); };
  Cutter cutter(&query, 0, 1, tell);
  const Range range{done, page_aligned(query.range).hi};
  const bool shared = is_shared(query.which);
  const bool vast = query.which == Pages::kHidden && range.size() > kMostHidden;
  bool known = false;
  if (shared || pagemap_ < 0 || vast) {
    const LargeMapping* large = shared ? nullptr : large_.find(range);
    if (large && !(query.which == Pages::kPrivate ? large->written : large->touched)) return;
    const bool swapped = large ? large->swapped : swap_is_in_use();
    known =
        (query.which == Pages::kSharedFile || !swapped) && scan_page_cache(range, &cutter, &done);
  }
  const bool slowly = !shared && pagemap_ >= 0 && !vast;
  if (!known && slowly) known = read_words(*this, pagemap_, range, query.which, &cutter, &done);
  if (!known && query.which != Pages::kHidden) cutter.add({done, range.hi});
  cutter.flush();
}

void AddressSpace::for_each_touched(Range range, Pages which,
                                    FunctionRef<void(Range)> visit) const {
  const PageQuery query{range, which};
  for_each_touched(&query, 1, [&](size_t, Range part) { visit(part); });
}

void AddressSpace::for_each_touched(const PageQuery* queries, size_t count,
                                    FunctionRef<void(size_t, Range)> visit) const {
  for (size_t first = 0, end; first < count; first = end) {
    end = first + 1;
    while (end < count && are_scanned_together(queries[end - 1], queries[end])) ++end;
    const Range whole{page_aligned(queries[first].range).lo,
                      page_aligned(queries[end - 1].range).hi};
    uintptr_t done = whole.lo;
    if (!is_shared(queries[first].which) && pagemap_ >= 0) {
      Cutter cutter(queries, first, end, visit);
      scan(*this, pagemap_, whole, queries[first].which, &cutter, &done);
      cutter.flush();
    }
    for (size_t i = first; i < end; ++i) {
      const Range rest = page_aligned(queries[i].range);
      if (rest.hi <= done || rest.lo >= rest.hi) continue;
      ask_page_by_page(queries[i], rest.lo > done ? rest.lo : done,
                       [&](Range part) { visit(i, part); });
    }
  }
}

}  // namespace heaprake::platform
