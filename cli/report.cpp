// heaprake report PID|FILE: what a process or a snapshot has lost.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <thread>

#include "cli/failure.h"
#include "cli/growth_told.h"
#include "cli/interval.h"
#include "cli/opened.h"
#include "cli/process.h"
#include "cli/report/outputs.h"
#include "cli/snapshot.h"
#include "cli/subcommand.h"
#include "cli/temporary.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

std::vector<OptionSpec> options() {
  std::vector<OptionSpec> specs = output_options();
  specs.push_back(
      {"growth", Takes::kValue, "TIME",
       "of a process: look once more after TIME (30s, 10m), tell what it has lost by then "
       "and what has grown meanwhile"});
  return specs;
}

std::string new_snapshot(const TemporaryDirectory& directory, pid_t pid, const char* name) {
  std::string file = (directory.path() / name).string();
  OutputFile(file, false).write_by([&](int fd) { take_snapshot(pid, fd, file); });
  return file;
}

// A number is a process, unless there is a file of that name.
bool is_process(const std::string& subject) {
  uint64_t number = 0;
  std::error_code error;
  return parse_number(subject, &number) && !std::filesystem::exists(subject, error);
}

void suggest_next(const Outputs& outputs, const std::string& subject, bool process,
                  Report* report) {
  // A process moves on: what is said about it should be about the same moment.
  std::string file = outputs.save_path();
  if (file.empty() && !process) file = subject;
  if (report->findings.blocks > 0 && file.empty()) {
    report->next.push_back(
        {"keep this moment, and look at it in a browser",
         "heaprake report " + shell_quoted(subject) + " --save lost.snapshot --html lost.html"});
  } else if (report->findings.blocks > 0 && !outputs.has_html()) {
    report->next.push_back(
        {"look at it in a browser", "heaprake report " + shell_quoted(file) + " --html lost.html"});
  }
  if (!file.empty() && report->snapshot->header.flags & HEAPRAKE_SNAPSHOT_ALL)
    report->next.push_back(
        {"see what takes most of the memory", "heaprake objects " + shell_quoted(file)});
}

int execute(const Arguments& arguments) {
  if (arguments.operands.size() != 1)
    throw Failure(kExitUsage, "name one process or snapshot: heaprake report PID|FILE");
  const std::string& subject = arguments.operands[0];
  const Outputs outputs(arguments);
  const bool process = is_process(subject);
  std::optional<TemporaryDirectory> directory;
  std::string file = subject;
  std::string before;
  if (!process && arguments.has("growth"))
    throw Failure(kExitUsage,
                  "--growth looks at a process twice; 'heaprake diff' compares two snapshots");
  if (process) {
    const pid_t pid = parse_pid(subject);
    directory.emplace("heaprake-report");
    if (arguments.has("growth")) {
      const std::chrono::milliseconds wait = parse_interval("growth", arguments.value("growth"));
      before = new_snapshot(*directory, pid, "before");
      std::this_thread::sleep_for(wait);
    }
    file = new_snapshot(*directory, pid, "snapshot");
  }
  ProgressLine line;
  Report report = read_report(file, {}, line.sink());
  line.clear();
  outputs.refine(&report);
  outputs.save(file);
  outputs.write_files(report, {});
  suggest_next(outputs, subject, process, &report);
  const std::string text = outputs.text(report, wants_colours(STDOUT_FILENO));
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!before.empty()) {
    const Opened earlier = open_snapshot(before, {}), later = open_snapshot(file, {});
    std::printf(
        "\n%s",
        GrowthTold(earlier, later, GrowthTold::kUsualTop).text(outputs.save_path()).c_str());
  }
  return kExitSuccess;
}

constexpr char kHelp[] =
    R"(Tells what a running process cannot reach any more, or what a snapshot of one says about it: each
lost structure with its members and their types, the references between them, what closes a cycle,
and where it was allocated. Nothing is freed. The report goes to stdout; files that exist are kept
unless --force is given.

A running process should have been started by `heaprake hunt`: otherwise no allocation stacks were
recorded. It stands still while its memory is copied, and goes on while that is looked at.

Examples:
  heaprake report 4711
  heaprake report 4711 --save lost.snapshot --html lost.html
  heaprake report lost.snapshot --json lost.json
  heaprake report 4711 --growth 10m

Exit status: 0, also when something is lost; 1 if the process cannot be asked, the file is no whole
snapshot, or a file cannot be written; 2 for a wrong command line, or a file that exists.
)";

}  // namespace

const Subcommand kReport = {
    "report", "PID|FILE [options]", "tell what a process or a snapshot has lost",
    kHelp,    Order::kMixed,        options,
    execute};

}  // namespace heaprake::cli
