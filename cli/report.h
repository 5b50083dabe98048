// What a hunt tells, as text and as JSON.
#pragma once

#include <string>
#include <vector>

#include "cli/analysis/analysis.h"
#include "cli/snapshot/reader.h"

namespace heaprake::cli {

struct Report {
  std::vector<std::string> program;  // argv, "" if unknown
  uint64_t pid = 0;
  // Sentences without a full stop; the report is complete if there are none.
  std::vector<std::string> incomplete_because;
  bool examined = true;  // false: there is no snapshot, and nothing is known
  Snapshot snapshot;
  Findings findings;
  std::string next;      // a command line worth trying next: the text report's last line
  std::string next_why;  // "to ..." what
};

// Analyses the snapshot. `program` is used where the snapshot does not say.
Report make_report(Snapshot snapshot, const std::vector<std::string>& program);

// What to do next, for a report about `report.program`. `json_command` is the command line that
// wrote this report, up to its options, for a run that has not written JSON yet; else "".
void suggest_next(Report* report, const std::string& json_command, const std::string& rest);

// Ends with a newline; no line is longer than kReportWidth but for the command to try next.
std::string report_text(const Report& report, bool colours);

// The schema "heaprake-report/1".
std::string report_json(const Report& report);

// Whether text for this descriptor should be coloured: a terminal, unless NO_COLOR is set.
bool wants_colours(int fd);

}  // namespace heaprake::cli
