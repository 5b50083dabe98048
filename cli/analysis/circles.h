// Cycles as they are known again: where one begins tells nothing. The analysis goes by ages, and
// two blocks of one millisecond by their addresses, which differ from run to run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/analysis/finding.h"

namespace heaprake::cli {

// Longer rings of the same kinds of objects are taken together, whatever their length.
inline constexpr uint32_t kLongRing = 16;
bool is_long_ring(const Finding& finding);

// Of words that stand in a circle, the positions from which reading them comes first in the order
// of texts: several where that reads the same.
std::vector<size_t> least_starts(const std::vector<std::string>& words);

// The words of lost_members(finding), wherever the cycle begins: read from a least start, or, of
// long rings, each kind of word once.
std::vector<std::string> known_words(const Finding& finding, std::vector<std::string> words);

}  // namespace heaprake::cli
