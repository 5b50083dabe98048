// heaprake ps: the processes that run under heaprake.
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "cli/failure.h"
#include "cli/json_writer.h"
#include "cli/process.h"
#include "cli/subcommand.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

struct Row {
  pid_t pid;
  std::string mode;  // "?" if its environment may not be read
  uint64_t resident;
  std::vector<std::string> command;
};

std::vector<OptionSpec> options() {
  return {{"json", Takes::kNothing, "", "print JSON instead of a table"}};
}

std::vector<Row> rows() {
  std::vector<Row> rows;
  for (pid_t pid : all_processes()) {
    if (!runs_under_heaprake(pid)) continue;
    const std::string mode = mode_of(pid);
    rows.push_back({pid, mode.empty() ? "?" : mode, status_of(pid).resident, command_line(pid)});
  }
  return rows;
}

size_t terminal_width() {
  winsize size{};
  if (!isatty(STDOUT_FILENO)) return SIZE_MAX;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int execute(const Arguments& arguments) {
  if (!arguments.operands.empty()) throw Failure(kExitUsage, "ps takes no operands");
  const std::vector<Row> found = rows();
  if (arguments.has("json")) {
    JsonWriter json;
    json.begin_array();
    for (const Row& row : found) {
      json.begin_object().member("pid", static_cast<uint64_t>(row.pid)).member("mode", row.mode);
      json.member("resident_bytes", row.resident).key("command").begin_array();
      for (const std::string& word : row.command) json.string(word);
      json.end_array().end_object();
    }
    json.end_array();
    std::fputs(json.text().c_str(), stdout);
    return kExitSuccess;
  }
  if (found.empty()) {
    std::fputs("heaprake ps: no process that you may look at runs under heaprake\n", stderr);
    return kExitSuccess;
  }
  std::printf("%8s  %-7s  %10s  %s\n", "PID", "MODE", "RESIDENT", "COMMAND");
  const size_t width = terminal_width();
  for (const Row& row : found) {
    char columns[64];
    std::snprintf(columns, sizeof columns, "%8d  %-7.7s  %10s  ", row.pid, row.mode.c_str(),
                  binary_size(row.resident).c_str());
    const std::string line = columns + printable(shell_command(row.command));
    std::printf("%s\n", shortened(line, width).c_str());
  }
  return kExitSuccess;
}

constexpr char kHelp[] =
    R"(Lists the processes that have libheaprake.so in their memory map, as far as you may look at them:
process id, mode as given at the start ("?" if unknown), resident memory, command line.

Examples:
  heaprake ps
  heaprake stats $(pgrep -n server)
  sudo heaprake ps               other users' processes too

Exit status: 0, also when there is none.
)";

}  // namespace

const Subcommand kPs = {
    "ps", "", "list the processes that run under heaprake", kHelp, Order::kMixed, options, execute};

}  // namespace heaprake::cli
