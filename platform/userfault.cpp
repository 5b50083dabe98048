// Memory whose faults the program itself answers (userfaultfd): while it stands still nobody does,
// and whoever reads a page that is not there yet waits for ever.
//
// Private memory is safe: only pages that exist are read. Of shared memory the page cache tells
// what exists, and the program may have asked to be told of the first look at such a page, too
// ("minor" faults). So each page that would be read must be in this process's page tables, or,
// where only "missing" ones are told, in the page cache.
#include "platform/smaps.h"

namespace heaprake::platform {
namespace {

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
  Mapping mapping{};
  bool safe = true;
  const bool complete = for_each_smaps_line([&](char* line, size_t length) {
    Faults faults;
    if (begins_a_mapping(line, length)) {
      safe = parse_maps_line(line, length, &mapping);
    } else if (parse_flags(line, length, &faults) && mapping.shared &&
               (faults.missing || faults.minor)) {
      for_each_touched(mapping.range, Pages::kShared, [&](Range touched) {
        safe = safe && pagemap_ >= 0 && all_answered(pagemap_, touched, !faults.minor);
      });
    }
    return safe;
  });
  return !safe || !complete;
}

}  // namespace heaprake::platform
