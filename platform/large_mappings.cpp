// What is in large private mappings, where the process may not read its own pagemap (it has changed
// its user, as servers do that root starts). mincore would be asked of every page of a reservation:
// 130 ms a TiB, and there are servers that reserve 8 TiB. smaps knows how much of each mapping
// exists, for about 17 ms a GiB of what exists, and mostly that is nothing.
#include "platform/smaps.h"

namespace heaprake::platform {
namespace {

// Whether the line is this count, and not zero: "Rss:                   4 kB".
template <size_t kSize>
bool counts(const char* line, size_t length, const char (&key)[kSize]) {
  if (length < kSize || __builtin_memcmp(line, key, kSize - 1) != 0) return false;
  for (size_t at = kSize - 1; at < length; ++at)
    if (line[at] >= '1' && line[at] <= '9') return true;
  return false;
}

}  // namespace

void LargeMappings::add_line(const char* line, size_t length) {
  // Huge pages of hugetlbfs are in no other count.
  const bool huge =
      counts(line, length, "Private_Hugetlb:") || counts(line, length, "Shared_Hugetlb:");
  const bool swapped = counts(line, length, "Swap:");
  LargeMapping& last = mappings_[count_ - 1];
  last.swapped |= swapped;
  last.touched |= huge || swapped || counts(line, length, "Rss:");
  // A file's page that has been written is a copy, and anonymous.
  last.written |= huge || swapped || counts(line, length, "Anonymous:");
}

void LargeMappings::read() {
  count_ = 0;
  bool large = false;
  const bool complete = for_each_smaps_line([&](char* line, size_t length) {
    if (!begins_a_mapping(line, length)) {
      if (large) add_line(line, length);
      return true;
    }
    Mapping mapping;
    large = parse_maps_line(line, length, &mapping) && !mapping.shared &&
            mapping.range.size() >= kLarge;
    if (!large) return true;
    if (count_ == kMost) return false;
    // Some of a file's pages (DAX) are in no count unless written.
    mappings_[count_++] = {mapping.range, mapping.file_backed, false, false};
    return true;
  });
  // The last one's counts may be missing.
  if (!complete) count_ = 0;
}

const LargeMapping* LargeMappings::find(Range range) const {
  for (size_t i = 0; i < count_; ++i)
    if (mappings_[i].range.lo <= range.lo && range.hi <= mappings_[i].range.hi)
      return &mappings_[i];
  return nullptr;
}

}  // namespace heaprake::platform
