// Findings that are known already: a former report of `heaprake hunt --json`.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "cli/report/report.h"

namespace heaprake::cli {

// Of findings with one fingerprint.
struct KnownFindings {
  uint64_t most = 0;                       // that one process had
  std::map<std::string, uint64_t> places;  // from each place_of, the most that one process had
};

// By fingerprint. Names last from build to build, places do not: of findings that differ in nothing
// else as many are known as a process of the baseline had. How often one is lost does not matter:
// the same leak grows with what the program is fed.
using Baseline = std::map<std::string, KnownFindings>;

// Throws a Failure (kExitUsage) if the file cannot be read or is no such report.
Baseline read_baseline(const std::string& path);

// Marks the findings that the baseline has: first those from the very same places, then, where
// these have moved, others with the same fingerprint, most bytes first, up to the baseline's
// number.
void compare(Report* report, const Baseline& baseline);

}  // namespace heaprake::cli
