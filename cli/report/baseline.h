// Findings that are known already: a former report of `heaprake hunt --json`.
#pragma once

#include <set>
#include <string>

#include "cli/report/report.h"

namespace heaprake::cli {

using Baseline = std::set<std::string>;  // fingerprints

// Throws a Failure (kExitUsage) if the file cannot be read or is no such report.
Baseline read_baseline(const std::string& path);

// Marks the findings that the baseline has.
void compare(Report* report, const Baseline& baseline);

}  // namespace heaprake::cli
