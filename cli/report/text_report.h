// The report that people read on a terminal.
#pragma once

#include <cstdint>
#include <string>

#include "cli/report/report.h"

namespace heaprake::cli {

struct TextStyle {
  bool colours = false;
  // Findings that are told with members, references and stacks; as many again get a line each.
  uint64_t detailed = 10;
};

// Ends with a newline; no line is longer than kReportWidth but for commands to try next.
std::string report_text(const Report& report, const TextStyle& style);

// Whether text for this descriptor should be coloured: a terminal, unless NO_COLOR is set.
bool wants_colours(int fd);

}  // namespace heaprake::cli
