// heaprake report PID|FILE: what a process or a snapshot has lost.
#include "cli/report.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>

#include "cli/failure.h"
#include "cli/output_file.h"
#include "cli/process.h"
#include "cli/snapshot.h"
#include "cli/subcommand.h"
#include "cli/temporary.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

std::vector<OptionSpec> options() {
  return {{"json", Takes::kValue, "FILE", "write JSON (heaprake-report/1) there too"},
          force_option()};
}

// A number is a process, unless there is a file of that name.
Report read_subject(const std::string& subject) {
  uint64_t number = 0;
  std::error_code error;
  if (!parse_number(subject, &number) || std::filesystem::exists(subject, error))
    return make_report(read_snapshot(subject), {});
  const pid_t pid = parse_pid(subject);
  const TemporaryDirectory directory("heaprake-report");
  const std::string copy = (directory.path() / "snapshot").string();
  OutputFile(copy, false).write(take_snapshot(pid));
  return make_report(read_snapshot(copy), {});
}

int execute(const Arguments& arguments) {
  if (arguments.operands.size() != 1)
    throw Failure(kExitUsage, "name one process or snapshot: heaprake report PID|FILE");
  const std::string& subject = arguments.operands[0];
  std::optional<OutputFile> json;
  if (arguments.has("json")) json.emplace(arguments.value("json"), arguments.has("force"));
  Report report = read_subject(subject);
  suggest_next(&report, json ? "" : "heaprake report " + shell_quoted(subject), "");
  if (json) json->write(report_json(report));
  const std::string text = report_text(report, wants_colours(STDOUT_FILENO));
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kExitSuccess;
}

constexpr char kHelp[] =
    R"(Prints what a running process cannot reach any more, or what a snapshot of one says about it: how
many blocks and bytes, in how many structures, and which of these are cycles. Nothing is freed. The
report goes to stdout, and with --json to a file as well.

Examples:
  heaprake report 4711
  heaprake report lost.snapshot --json lost.json

Exit status: 0, also when something is lost; 1 if the process cannot be asked, the file is no whole
snapshot, or the JSON cannot be written; 2 for a wrong command line, or if the JSON's file exists.
)";

}  // namespace

const Subcommand kReport = {"report",
                            "PID|FILE [--json FILE]",
                            "print what a process or a snapshot has lost",
                            kHelp,
                            Order::kMixed,
                            options,
                            execute};

}  // namespace heaprake::cli
