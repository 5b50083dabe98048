// What the user does not want to be told again: LeakSanitizer's suppression files.
//
//   # a comment
//   leak:pattern      a function, source file or module of the allocation stack contains it;
//                     * stands for anything, ^ for the beginning, $ for the end
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/report/report.h"

namespace heaprake::cli {

struct Suppression {
  std::string pattern;
  std::string file;  // where it stands
};

// As LeakSanitizer matches.
bool matches(std::string_view pattern, std::string_view text);

// Throws a Failure (kExitUsage) that names file and line of what is no suppression.
std::vector<Suppression> parse_suppressions(std::string_view text, const std::string& file);
// Throws a Failure (kExitUsage) if it cannot be read either.
std::vector<Suppression> read_suppressions(const std::string& path);

// Takes findings out of the report of which a root's allocation stack matches, and numbers the rest
// anew. A finding goes to the first rule that matches.
void suppress(Report* report, const std::vector<Suppression>& suppressions);

// A suppression file that would silence each finding of the report, with a comment for each.
std::string suppressions_for(const Report& report);

}  // namespace heaprake::cli
