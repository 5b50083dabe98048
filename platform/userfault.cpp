// Memory whose faults the program itself answers (userfaultfd): while it stands still nobody does,
// and whoever reads a page that is not there yet waits for ever.
//
// Private memory is safe: only pages that exist are read. Of shared memory the page cache tells
// what exists, and the program may have asked to be told of the first look at such a page, too
// ("minor" faults). So each page that would be read must be in this process's page tables, or,
// where only "missing" ones are told, in the page cache.
#include <linux/fcntl.h>

#include "platform/maps_parser.h"
#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

constexpr long kInterrupted = -4;

// The lines of /proc/PID/smaps, cut to the length that matters here.
class SmapsLines {
 public:
  // visit(text, length) returns false to stop; so does this.
  template <class Visit>
  bool consume(const char* text, size_t bytes, Visit visit) {
    for (size_t i = 0; i < bytes; ++i) {
      if (text[i] != '\n') {
        if (length_ < kMost) line_[length_++] = text[i];
        continue;
      }
      const size_t length = length_;
      length_ = 0;
      if (!visit(line_, length)) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kMost = 512;
  char line_[kMost + 1];  // and room for a terminator
  size_t length_ = 0;
};

struct Faults {
  bool missing = false, minor = false;
};

// "VmFlags: rd wr sh mr mw me ms um ui sd"
bool parse_flags(const char* line, size_t length, Faults* faults) {
  constexpr char kKey[] = "VmFlags:";
  constexpr size_t kKeyLength = sizeof kKey - 1;
  if (length < kKeyLength || __builtin_memcmp(line, kKey, kKeyLength) != 0) return false;
  for (size_t at = kKeyLength; at + 3 <= length; at += 3) {
    faults->missing |= line[at + 1] == 'u' && line[at + 2] == 'm';
    faults->minor |= line[at + 1] == 'u' && line[at + 2] == 'i';
  }
  return true;
}

bool all_answered(int pagemap, Range range, bool cached_is_enough) {
  constexpr size_t kPages = 512;
  constexpr uint64_t kPresent = 1ull << 63;
  uint64_t words[kPages];
  unsigned char cached[kPages];
  for (uintptr_t at = range.lo; at < range.hi;) {
    const size_t left = (range.hi - at) / kPageSize;
    const size_t pages = left < kPages ? left : kPages;
    const auto wanted = static_cast<long>(pages * sizeof(uint64_t));
    if (sys::call(SYS_pread64, pagemap, words, wanted, at / kPageSize * 8) != wanted) return false;
    if (sys::failed(sys::call(SYS_mincore, at, pages * kPageSize, cached))) return false;
    for (size_t i = 0; i < pages; ++i) {
      const bool safe = (words[i] & kPresent) != 0 || (cached_is_enough && (cached[i] & 1) != 0);
      if (!safe) return false;
    }
    at += pages * kPageSize;
  }
  return true;
}

}  // namespace

bool AddressSpace::waits_for_program() const {
  const long smaps =
      sys::call(SYS_openat, AT_FDCWD, "/proc/thread-self/smaps", O_RDONLY | O_CLOEXEC);
  if (sys::failed(smaps)) return true;
  SmapsLines lines;
  Mapping mapping{};
  bool safe = true;
  auto visit = [&](char* line, size_t length) {
    Faults faults;
    // A mapping's own line begins with its address, those about it with a capital letter.
    if (length != 0 && (line[0] < 'A' || line[0] > 'Z')) {
      safe = parse_maps_line(line, length, &mapping);
    } else if (parse_flags(line, length, &faults) && mapping.shared &&
               (faults.missing || faults.minor)) {
      for_each_touched(mapping.range, Pages::kShared, [&](Range touched) {
        safe = safe && pagemap_ >= 0 && all_answered(pagemap_, touched, !faults.minor);
      });
    }
    return safe;
  };
  char buffer[8192];
  long got = 1;
  while (safe && got > 0) {
    do got = sys::call(SYS_read, smaps, buffer, sizeof buffer);
    while (got == kInterrupted);
    if (got > 0) lines.consume(buffer, static_cast<size_t>(got), visit);
  }
  sys::call(SYS_close, smaps);
  return !safe || got < 0;
}

}  // namespace heaprake::platform
