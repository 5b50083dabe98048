// The report in other programs' formats. Each returns the content of a file.
#pragma once

#include <string>

#include "cli/report/report.h"

namespace heaprake::cli {

// LeakSanitizer's text, for scripts that look for it. Blocks of root components are direct leaks,
// what they lead to is indirect.
std::string lsan_text(const Report& report);

// Brendan Gregg's folded stacks, a line each: outermost;...;innermost bytes.
std::string folded_stacks(const Report& report);

// https://www.speedscope.app: a profile of leaked bytes and one of leaked blocks.
std::string speedscope_json(const Report& report);

// pprof's profile.proto, compressed. Samples are leaked_objects and leaked_space; and if the
// snapshot has reachable blocks, inuse_objects and inuse_space of all blocks.
std::string pprof_profile(const Report& report);

// Graphviz: the example of each of the first findings, members and references.
std::string dot_graph(const Report& report);

// One page that needs nothing else: findings, flame graphs, and drawings of the structures.
std::string html_page(const Report& report);

}  // namespace heaprake::cli
