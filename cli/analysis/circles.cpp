#include "cli/analysis/circles.h"

#include <algorithm>
#include <numeric>

namespace heaprake::cli {

// By the cycle's own length, not by that of the members that are kept of it.
bool is_long_ring(const Finding& finding) {
  return finding.cycle_length > kLongRing;
}

std::vector<size_t> least_starts(const std::vector<std::string>& words) {
  const auto less = [&](size_t a, size_t b) {
    for (size_t i = 0; i < words.size(); ++i) {
      const int order = words[(a + i) % words.size()].compare(words[(b + i) % words.size()]);
      if (order != 0) return order < 0;
    }
    return false;
  };
  std::vector<size_t> starts(words.size());
  std::iota(starts.begin(), starts.end(), size_t{0});
  if (starts.empty()) return starts;
  const size_t least = *std::min_element(starts.begin(), starts.end(), less);
  std::erase_if(starts, [&](size_t start) { return less(least, start); });
  return starts;
}

std::vector<std::string> known_words(const Finding& finding, std::vector<std::string> words) {
  if (!is_long_ring(finding)) {
    const std::vector<size_t> starts = least_starts(words);
    if (!starts.empty())
      std::rotate(words.begin(), words.begin() + static_cast<ptrdiff_t>(starts[0]), words.end());
    return words;
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

}  // namespace heaprake::cli
