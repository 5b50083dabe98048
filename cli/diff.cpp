// heaprake diff FILE FILE: what has grown between two snapshots, and what has been lost.
#include <cstdio>

#include "cli/failure.h"
#include "cli/growth_told.h"
#include "cli/opened.h"
#include "cli/subcommand.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

std::vector<OptionSpec> options() {
  return {{"top", Takes::kValue, "N", "list the N that have grown most (default 10)"},
          {"json", Takes::kNothing, "", "print JSON instead of text"}};
}

int execute(const Arguments& arguments) {
  if (arguments.operands.size() != 2)
    throw Failure(kExitUsage, "name two snapshots, the earlier one first");
  uint64_t top = GrowthTold::kUsualTop;
  if (arguments.has("top") && !parse_number(arguments.value("top"), &top))
    throw Failure(kExitUsage, "--top=" + printable(arguments.value("top")) + ": N is a number");
  ProgressLine line;
  const Progress progress = line.sink();
  const Opened before = open_snapshot(arguments.operands[0], progress);
  const Opened after = open_snapshot(arguments.operands[1], progress);
  need_all(before, arguments.operands[0], "growth");
  need_all(after, arguments.operands[1], "growth");
  GrowthTold told(before, after, top, progress);
  const std::string text = arguments.has("json") ? told.json() : told.text(arguments.operands[1]);
  line.clear();
  std::fputs(text.c_str(), stdout);
  return kExitSuccess;
}

constexpr char kHelp[] =
    R"(Compares two snapshots, of one process or of two runs of a program, and prints what has grown: by
allocation site and by type, how many blocks and bytes, how fast, and the shortest way from a named
root to the youngest block of each; then what has been lost in between. Most leaks of programs that
run for long are still reachable: they show here, and not in a report of what is lost.

Examples:
  heaprake snapshot 4711 -o before; sleep 600; heaprake snapshot 4711 -o after
  heaprake diff before after
  heaprake diff before after --json | jq '.sites[0]'

Exit status: 0; 1 if a file is no whole snapshot or has not all blocks; 2 for a wrong command line.
)";

}  // namespace

const Subcommand kDiff = {"diff",
                          "FILE FILE [--top N] [--json]",
                          "what has grown, and what was lost, between two snapshots",
                          kHelp,
                          Order::kMixed,
                          options,
                          execute};

}  // namespace heaprake::cli
