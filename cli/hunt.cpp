// heaprake hunt: a program with mode=hunt, and a report about what it has lost when it ends.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

#include "cli/failure.h"
#include "cli/launch.h"
#include "cli/option_table.h"
#include "cli/output_file.h"
#include "cli/report.h"
#include "cli/subcommand.h"
#include "cli/supervise.h"
#include "cli/temporary.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

namespace fs = std::filesystem;

std::vector<OptionSpec> options() {
  std::vector<OptionSpec> specs = {
      {"json", Takes::kValue, "FILE", "write the report as JSON (heaprake-report/1), all of it"},
      {"report", Takes::kValue, "FILE", "write the text report there instead of to stderr"},
      {"exit-code", Takes::kValue, "N",
       "exit status when blocks are lost and the program itself ended with 0 (default 23; 0: never "
       "another than the program's own)"},
      force_option()};
  const std::vector<OptionSpec> library = library_option_specs({"mode", "snapshot"});
  specs.insert(specs.end(), library.begin(), library.end());
  return specs;
}

// What the command line asks for, checked before the program starts.
struct Plan {
  std::map<std::string, std::string> library;
  std::optional<OutputFile> json, text;
  int leak_status = kExitLeaks;
};

Plan plan_of(const Arguments& arguments) {
  Plan plan;
  plan.library = chosen_options(arguments);
  const bool force = arguments.has("force");
  if (arguments.has("json")) plan.json.emplace(arguments.value("json"), force);
  if (arguments.has("report")) plan.text.emplace(arguments.value("report"), force);
  if (plan.json && plan.text && plan.json->path() == plan.text->path())
    throw Failure(kExitUsage, "--json and --report name the same file");
  if (arguments.has("exit-code")) {
    uint64_t status = 0;
    if (!parse_number(arguments.value("exit-code"), &status) || status > 255)
      throw Failure(kExitUsage, "--exit-code=" + printable(arguments.value("exit-code")) +
                                    ": an exit status is a number from 0 to 255");
    plan.leak_status = static_cast<int>(status);
  }
  if (arguments.operands.empty())
    throw Failure(kExitUsage, "no program to run: heaprake hunt [options] -- PROGRAM ARGS");
  return plan;
}

std::string why_missing(const Ending& ending) {
  if (WIFSIGNALED(ending.wait_status)) {
    const int signal = WTERMSIG(ending.wait_status);
    return "signal " + std::to_string(signal) + " (" + strsignal(signal) +
           ") killed the program before its memory could be examined";
  }
  return "the program ended without its memory being examined: it ended by a system call of its "
         "own "
         "instead of through libc, or changed its user or root directory, or became a program that "
         "heaprake cannot reach (static, or started with another environment)";
}

Report read_report(const Ending& ending, const fs::path& file,
                   const std::vector<std::string>& program) {
  std::error_code error;
  std::string why;
  if (!fs::exists(file, error)) {
    why = why_missing(ending);
  } else if (fs::file_size(file, error) == 0) {
    why = "the program's threads could not all be stopped, or its memory not be listed, at its end";
  } else {
    try {
      return make_report(read_snapshot(file.string()), program);
    } catch (const Failure& failure) {
      why = failure.message;
    }
  }
  Report report;
  report.examined = false;
  report.program = program;
  report.pid = static_cast<uint64_t>(ending.pid);
  report.incomplete_because.push_back(why);
  return report;
}

// A sentence for each other process that has lost something: they are not part of the report.
std::string other_processes(const fs::path& directory, const fs::path& own) {
  constexpr int kMost = 5;
  constexpr std::string_view kPrefix = "heaprake: ";
  std::string text;
  int processes = 0;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    if (entry.path() == own) continue;
    try {
      const Snapshot snapshot = read_snapshot(entry.path().string());
      if (snapshot.blocks.empty() || ++processes > kMost) continue;
      uint64_t bytes = 0;
      for (const heaprake_snapshot_block& block : snapshot.blocks) bytes += block.requested;
      std::string sentence = "not in this report: process " + std::to_string(snapshot.header.pid) +
                             ", started by the program, lost " +
                             counted(snapshot.blocks.size(), "block") + " (" +
                             counted(bytes, "byte") + ")";
      // The command alone is cut, never the figures.
      if (!snapshot.command.empty())
        sentence += ": " + shortened(printable(shell_command(snapshot.command)), kReportWidth / 2);
      text.append(kPrefix).append(wrapped(sentence, 2, kPrefix.size())).append("\n");
    } catch (const Failure&) {
      // It may have been killed while it wrote.
    }
  }
  if (processes > kMost)
    text.append(kPrefix)
        .append("and ")
        .append(grouped(static_cast<uint64_t>(processes - kMost)))
        .append(" more of them\n");
  return text;
}

std::string command_so_far(const Plan& plan) {
  std::vector<std::string> words = {"heaprake", "hunt"};
  for (const auto& [name, value] : plan.library)
    words.emplace_back("--").append(name).append("=").append(value);
  return shell_command(words);
}

void deliver(const Plan& plan, const Report& report, const std::string& others) {
  if (plan.json) plan.json->write(report_json(report));
  if (plan.text) {
    plan.text->write(others + report_text(report, false));
    return;
  }
  const std::string text = others + report_text(report, wants_colours(STDERR_FILENO));
  std::fwrite(text.data(), 1, text.size(), stderr);
}

int execute(const Arguments& arguments) {
  const Plan plan = plan_of(arguments);
  const TemporaryDirectory directory("heaprake-hunt");
  std::map<std::string, std::string> library = plan.library;
  library["mode"] = "hunt";
  // Each process writes a file of its own, or a child of the program would overwrite the program's.
  library["snapshot"] = (directory.path() / "%p").string();
  const Launch launch = prepare_launch(arguments.operands, library);

  const Ending ending = supervise(launch);
  const fs::path file = directory.path() / std::to_string(ending.pid);
  Report report = read_report(ending, file, arguments.operands);
  report.pid = static_cast<uint64_t>(ending.pid);
  suggest_next(&report, plan.json ? "" : command_so_far(plan),
               " -- " + shell_command(arguments.operands));
  int status = exit_status_of(ending);
  try {
    deliver(plan, report, other_processes(directory.path(), file));
  } catch (const Failure& failure) {
    std::fprintf(stderr, "heaprake hunt: %s\n", failure.message.c_str());
    if (status == 0) status = failure.status;
  }
  if (status == 0 && report.analysis.blocks > 0) status = plan.leak_status;
  return status;
}

constexpr char kHelp[] =
    R"(Runs PROGRAM with nothing ever collected, and reports at its end what it could no longer reach:
how many blocks and bytes, in how many structures, and which of these are cycles. The report goes to
stderr or to the files asked for, never to stdout; files that exist are kept unless --force is
given. PROGRAM's streams are its own; signals sent to this command are passed on to it.

PROGRAM's memory is examined when main returns, and on exit, _exit, _Exit and quick_exit, with any
status. It cannot be examined when a signal kills PROGRAM (abort is one too), when it ends by a
system call of its own (syscall(SYS_exit_group, ...)), or when it has taken a user or a root
directory for which the temporary directory (TMPDIR, else /tmp) is out of reach. Then the report
says "incomplete", its JSON has "complete": false, and the exit status is PROGRAM's own. If PROGRAM
becomes another one (exec), the report is about that one alone; if heaprake cannot reach that one
(static, or without LD_PRELOAD in the environment), it is "incomplete".

Other processes that PROGRAM starts and that have lost something are named, each in a sentence, but
are not part of the report.

Examples:
  heaprake hunt -- ./parser input.txt                what has it lost?
  heaprake hunt --json leaks.json -- ./tests         for a script: .summary.leaked_blocks
  heaprake hunt --exit-code=0 -- ./tests             report, but do not fail

Exit status: the program's own, 128+signal if it was killed; 23 (or --exit-code) if it ended with 0
and has lost blocks; 2 for a wrong command line, or a file that exists; 126 if the program cannot be
run, or not under heaprake; 127 if there is none; 1 if libheaprake.so is not found, or the report
could not be written.
)";

}  // namespace

const Subcommand kHunt = {"hunt",
                          "[options] -- PROGRAM ARGS...",
                          "run a program, free nothing, report what it has lost at its end",
                          kHelp,
                          Order::kProgramFirst,
                          options,
                          execute};

}  // namespace heaprake::cli
