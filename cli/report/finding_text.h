// One finding in words, for the text report.
#pragma once

#include "cli/report/page.h"
#include "cli/report/report.h"

namespace heaprake::cli {

// Title, members, references, where allocated, since when.
void tell_finding(Page& page, const Finding& finding, const Report& report);
// One line; `remark` stands behind the title.
void tell_briefly(Page& page, const Report& report, const Finding& finding,
                  const std::string& remark = "");
// Two lines, with the reason why it is not counted.
void tell_near_leak(Page& page, const Report& report, const Finding& finding);

}  // namespace heaprake::cli
