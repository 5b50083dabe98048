// One finding in words, for the text report.
#pragma once

#include "cli/report/page.h"
#include "cli/report/report.h"

namespace heaprake::cli {

// findings.lost[index]: title, members, references, where allocated, since when.
void tell_finding(Page& page, const Report& report, size_t index);
// One line.
void tell_briefly(Page& page, const Report& report, const Finding& finding);
// Two lines, with the reason why it is not counted.
void tell_near_leak(Page& page, const Report& report, const Finding& finding);

}  // namespace heaprake::cli
