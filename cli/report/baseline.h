// Findings that are known already: a former report of `heaprake hunt --json`.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "cli/report/report.h"

namespace heaprake::cli {

// Fingerprint -> where findings with it come from (site_of) -> how many a process has from there.
// Names last from build to build, places do not: of findings that differ in nothing else as many
// are known as the baseline has. How often one is lost does not matter: the same leak grows with
// what the program is fed.
using Baseline = std::map<std::string, std::map<std::string, uint64_t>>;

// Throws a Failure (kExitUsage) if the file cannot be read or is no such report.
Baseline read_baseline(const std::string& path);

// Marks the findings that the baseline has: first those from the very same places, then, where
// these have moved, others with the same fingerprint, most bytes first, up to the baseline's
// number.
void compare(Report* report, const Baseline& baseline);

}  // namespace heaprake::cli
