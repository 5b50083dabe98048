// heaprake snapshot PID -o FILE: what a running process has lost, for `heaprake report`.
#include "cli/snapshot.h"

#include <cstdio>

#include "cli/failure.h"
#include "cli/output_file.h"
#include "cli/process.h"
#include "cli/request.h"
#include "cli/snapshot/reader.h"
#include "cli/subcommand.h"
#include "cli/temporary.h"
#include "cli/text.h"

namespace heaprake::cli {

void take_snapshot(pid_t pid, int fd, const std::string& path) {
  bool any = false;
  const auto keep = [&](std::string_view piece) {
    any = true;
    write_all(fd, piece, path);
  };
  request(pid, HEAPRAKE_REQUEST_SNAPSHOT, keep, HEAPRAKE_REQUEST_ALL);
  if (!any)
    throw Failure(kExitFailure, "process " + std::to_string(pid) +
                                    " could not stop all of its threads: ask again");
}

namespace {

std::vector<OptionSpec> options() {
  return {{"output", Takes::kValue, "FILE", "where the snapshot goes (needed)", 'o'},
          force_option()};
}

int execute(const Arguments& arguments) {
  if (arguments.operands.size() != 1 || !arguments.has("output"))
    throw Failure(kExitUsage, "name one process and a file: heaprake snapshot PID -o FILE");
  const pid_t pid = parse_pid(arguments.operands[0]);
  const OutputFile output(arguments.value("output"), arguments.has("force"));
  // Read it back before it gets its name: a stream has no other end than its end.
  const TemporaryDirectory directory("heaprake-snapshot");
  const std::string copy = (directory.path() / "snapshot").string();
  OutputFile(copy, false).write_by([&](int fd) { take_snapshot(pid, fd, copy); });
  ProgressLine line;
  const Snapshot snapshot = read_snapshot(copy, line.sink());
  output.copy_from(copy);
  line.clear();
  std::printf("%s unreachable in %s; next, to see them:\n  heaprake report %s\n",
              counted(snapshot.totals.unreachable_blocks, "block").c_str(),
              shell_quoted(arguments.value("output")).c_str(),
              shell_quoted(arguments.value("output")).c_str());
  return kExitSuccess;
}

constexpr char kHelp[] =
    R"(Writes what the process cannot reach any more, and the references among that, to FILE. Nothing is
freed. The program stands still while it is found. A FILE that exists is kept unless --force is
given. The process may run in any mode but off.

Examples:
  heaprake snapshot 4711 -o lost.snapshot
  heaprake report lost.snapshot --json lost.json

Exit status: 0; 1 if the process cannot be asked, does not answer, or FILE cannot be written; 2 for
a wrong command line, or if FILE exists.
)";

}  // namespace

const Subcommand kSnapshot = {
    "snapshot", "PID -o FILE", "write what a running process has lost to a file",
    kHelp,      Order::kMixed, options,
    execute};

}  // namespace heaprake::cli
