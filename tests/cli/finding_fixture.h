// Findings as the analysis would hand them over, built by hand: three lost Parent <-> Child cycles
// whose Parent holds a string's characters, and a single block of another stack.
#pragma once

#include "cli/report/report.h"

namespace heaprake::cli::test {

// Stack 1 is names_sample's (std::fixture_allocate <- family::make <- hidden <- names_sample);
// stack 2 is its outermost frame alone, stack 3 another line of that function. 10 blocks, 457
// bytes.
Report family_report();

// The same program with nothing lost.
Report clean_report();

}  // namespace heaprake::cli::test
