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

// A hidden mapping larger than this is not looked at page by page.
constexpr size_t kMostHidden = size_t{1} << 30;

// Joins neighbouring pieces before they are shown.
class Merger {
 public:
  explicit Merger(FunctionRef<void(Range)> visit) : visit_(visit) {}
  void add(Range range) {
    if (range.lo == held_.hi) {
      held_.hi = range.hi;
      return;
    }
    flush();
    held_ = range;
  }
  void flush() {
    if (held_.lo < held_.hi) visit_(held_);
    held_ = {};
  }

 private:
  FunctionRef<void(Range)> visit_;
  Range held_;
};

// A page that counts as swapped may in truth be a guard page (MADV_GUARD_INSTALL) or a poisoned
// one, whose reading kills: only those that the kernel itself can read are shown.
void add_readable_pages(const AddressSpace& space, Range range, Merger* merger) {
  char byte;
  for (uintptr_t page = range.lo; page < range.hi; page += kPageSize)
    if (space.read_guarded(&byte, page, 1) == 1) merger->add({page, page + kPageSize});
}

// false when the kernel cannot tell; then nothing below *done has been left out.
bool scan(const AddressSpace& space, int pagemap, Range range, Pages which, Merger* merger,
          uintptr_t* done) {
  constexpr size_t kRegions = 64;
  ScanRegion regions[kRegions];
  const uint64_t excluded = which == Pages::kPrivate ? kZeroPage | kFile : kZeroPage;
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
    if (sys::failed(count) || request.walk_end <= *done) return false;
    for (long i = 0; i < count; ++i) {
      const Range found{regions[i].start, regions[i].end};
      if ((regions[i].categories & kSwapped) != 0) {
        add_readable_pages(space, found, merger);
      } else {
        merger->add(found);
      }
    }
    *done = request.walk_end;
  }
  return true;
}

bool read_words(const AddressSpace& space, int pagemap, Range range, Pages which, Merger* merger,
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
        add_readable_pages(space, page, merger);
      } else {
        merger->add(page);
      }
    }
  }
  return true;
}

bool swap_is_in_use() {
  struct sysinfo info {};
  return sys::failed(sys::call(SYS_sysinfo, &info)) || info.freeswap != info.totalswap;
}

// mincore: which pages are in memory, of a shared mapping in the page cache, of an anonymous one in
// this process's page tables.
bool scan_page_cache(Range range, Merger* merger, uintptr_t* done) {
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
      if ((resident[i] & 1) != 0) merger->add({page, page + kPageSize});
    }
    *done += pages * kPageSize;
  }
  return true;
}

}  // namespace

void AddressSpace::for_each_touched(Range range, Pages which,
                                    FunctionRef<void(Range)> visit) const {
  range.lo &= ~(kPageSize - 1);
  range.hi = (range.hi + kPageSize - 1) & ~(kPageSize - 1);
  if (range.lo >= range.hi) return;
  Merger merger(visit);
  uintptr_t done = range.lo;
  bool known = false;
  if (which != Pages::kShared && pagemap_ >= 0) {
    known = scan(*this, pagemap_, range, which, &merger, &done);
  } else {
    const LargeMapping* large = which == Pages::kShared ? nullptr : large_.find(range);
    if (large && !(which == Pages::kPrivate ? large->written : large->touched)) return;
    const bool swapped = large ? large->swapped : swap_is_in_use();
    known = !swapped && scan_page_cache(range, &merger, &done);
  }
  const bool slowly = which != Pages::kShared && pagemap_ >= 0 &&
                      (which != Pages::kHidden || range.size() <= kMostHidden);
  if (!known && slowly) known = read_words(*this, pagemap_, range, which, &merger, &done);
  if (!known && which != Pages::kHidden) merger.add({done, range.hi});
  merger.flush();
}

}  // namespace heaprake::platform
