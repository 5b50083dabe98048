// heaprake hunt: a program with mode=hunt, and a report about what it has lost when it ends.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>

#include "cli/failure.h"
#include "cli/hunt_checks.h"
#include "cli/hunt_files.h"
#include "cli/hunt_help.h"
#include "cli/inherited.h"
#include "cli/interval.h"
#include "cli/launch.h"
#include "cli/option_table.h"
#include "cli/process.h"
#include "cli/report/outputs.h"
#include "cli/subcommand.h"
#include "cli/supervise.h"
#include "cli/temporary.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

namespace fs = std::filesystem;

// Options of the library that hunt gives a meaning of its own, or that mean nothing to it.
const std::vector<std::string> kHidden = {"mode",   "snapshot",  "on_signal",
                                          "growth", "threshold", "inherited"};

std::vector<OptionSpec> options() {
  std::vector<OptionSpec> specs = output_options();
  specs.insert(
      specs.end(),
      {{"report", Takes::kValue, "FILE", "write the text report there instead of to stderr"},
       {"exit-code", Takes::kValue, "N",
        "exit status when blocks are lost and the program itself ended with 0 (default 23; 0: "
        "never another than the program's own)"},
       {"count-children", Takes::kNothing, "",
        "what other processes have lost makes the exit status fail, too, and what a forked one has "
        "lost of what it inherited is told as well"},
       {"every", Takes::kValue, "TIME", "look at the running program every so long: 30s, 10m, 1h"},
       {"start-after", Takes::kValue, "TIME", "the first time after so long"},
       {"growth", Takes::kNothing, "",
        "with each of these checks, tell what has grown since the one before, and what holds it"},
       {"on-signal", Takes::kValue, "SIGNAL",
        "look at it whenever it gets this signal: USR2, or a number; the program's own handler is "
        "called as well"}});
  const std::vector<OptionSpec> library = library_option_specs(kHidden);
  specs.insert(specs.end(), library.begin(), library.end());
  return specs;
}

// The kernel lets nobody handle the first two; 32 and 33 are glibc's own, for its threads.
int catchable(int signal, const std::string& value) {
  if (signal == SIGKILL || signal == SIGSTOP || signal == 32 || signal == 33)
    throw Failure(kExitUsage, "--on-signal=" + printable(value) +
                                  ": no program can handle this signal; USR2 is one that it can");
  return signal;
}

int signal_number(const std::string& value) {
  uint64_t number = 0;
  if (parse_number(value, &number) && number > 0 && number < static_cast<uint64_t>(NSIG))
    return catchable(static_cast<int>(number), value);
  const std::string name = value.starts_with("SIG") ? value.substr(3) : value;
  for (int signal = 1; signal < NSIG; ++signal) {
    const char* abbreviation = sigabbrev_np(signal);
    if (abbreviation && name == abbreviation) return catchable(signal, value);
  }
  throw Failure(kExitUsage,
                "--on-signal=" + printable(value) + ": there is no such signal; USR2 is one");
}

// What the command line asks for, checked before the program starts.
struct Plan {
  explicit Plan(const Arguments& arguments);

  std::vector<std::string> program;
  std::map<std::string, std::string> library;
  Outputs outputs;
  std::optional<OutputFile> text;
  CheckPlan checks;
  std::optional<int> leak_status;
  bool count_children;
  std::string repeat;  // the command line up to " -- ", without the files that it writes
};

std::string repeatable(const Arguments& arguments) {
  std::vector<std::string> words = {"heaprake", "hunt"};
  for (const auto& [name, value] : arguments.options) {
    static const std::vector<std::string> kFiles = {
        "json", "html",   "dot",  "folded", "speedscope", "pprof", "gen-suppressions",
        "save", "report", "force"};
    if (std::find(kFiles.begin(), kFiles.end(), name) != kFiles.end()) continue;
    std::string& word = words.emplace_back("--" + name);
    const bool bare = value == "1" && (name == "count-children" || name == "growth");
    if (!bare) word.append("=").append(value);
  }
  return shell_command(words);
}

Plan::Plan(const Arguments& arguments)
    : program(arguments.operands),
      library(chosen_options(arguments)),
      outputs(arguments),
      count_children(arguments.has("count-children")),
      repeat(repeatable(arguments)) {
  if (arguments.has("report")) text.emplace(arguments.value("report"), arguments.has("force"));
  if (text && (arguments.value("json") == arguments.value("report")))
    throw Failure(kExitUsage, "--json and --report name the same file");
  if (arguments.has("exit-code")) {
    uint64_t status = 0;
    if (!parse_number(arguments.value("exit-code"), &status) || status > 255)
      throw Failure(kExitUsage, "--exit-code=" + printable(arguments.value("exit-code")) +
                                    ": an exit status is a number from 0 to 255");
    leak_status = static_cast<int>(status);
  }
  if (arguments.has("every")) checks.every = parse_interval("every", arguments.value("every"));
  if (arguments.has("start-after"))
    checks.start_after = parse_interval("start-after", arguments.value("start-after"));
  if (arguments.has("on-signal")) {
    library["on_signal"] = std::to_string(signal_number(arguments.value("on-signal")));
    checks.on_signal = true;
  }
  checks.growth = arguments.has("growth");
  if (checks.growth && !checks.any())
    throw Failure(kExitUsage, "--growth needs checks to compare: --every TIME or --on-signal");
  // Whoever keeps a snapshot wants to ask it who keeps what alive.
  library.try_emplace("snapshot_all", outputs.saves() ? "1" : "2");
  if (count_children) library["inherited"] = "1";
  if (program.empty())
    throw Failure(kExitUsage, "no program to run: heaprake hunt [options] -- PROGRAM ARGS");
}

std::string why_missing(const Ending& ending, const std::vector<pid_t>& going_on) {
  if (WIFSIGNALED(ending.wait_status)) {
    const int signal = WTERMSIG(ending.wait_status);
    return "signal " + std::to_string(signal) + " (" + strsignal(signal) +
           ") killed the program before its memory could be examined";
  }
  if (WIFEXITED(ending.wait_status) && !going_on.empty()) {
    const std::string pid = std::to_string(going_on.front());
    return "process " + pid +
           ", which it has started, goes on. If that is the program, gone to the background, "
           "'heaprake report " +
           pid +
           "' asks it now; where it has an option to stay in the foreground, a hunt sees its end";
  }
  return "the program ended without its memory being examined: it ended by a system call of its "
         "own instead of through libc, or changed its user or root directory, or became a program "
         "that heaprake cannot reach (static, or started with another environment)";
}

// The text of it all, on stderr as it comes or kept for a file.
class Telling {
 public:
  explicit Telling(const Plan& plan) : plan_(plan) {}
  bool colours() const { return !plan_.text && wants_colours(STDERR_FILENO); }
  void tell(const std::string& text) {
    if (plan_.text)
      kept_ += text;
    else
      std::fwrite(text.data(), 1, text.size(), stderr);
  }
  void finish() const {
    if (plan_.text) plan_.text->write(kept_);
  }

 private:
  const Plan& plan_;
  std::string kept_;
};

class Hunt {
 public:
  explicit Hunt(const Arguments& arguments)
      : plan_(arguments),
        directory_(HEAPRAKE_HUNT_DIRECTORY),
        files_(directory_.path()),
        telling_(plan_) {}

  int run();

 private:
  Report final_report(const Ending& ending, HuntChecks& checks, fs::path* snapshot) const;
  void tell_other_process(pid_t pid);
  std::vector<std::string> silent_children(pid_t program) const;
  void suggest_next(Report* report) const;
  void deliver(Report& report, const HuntChecks& checks, const fs::path& snapshot);

  Plan plan_;
  const TemporaryDirectory directory_;
  const HuntFiles files_;
  Telling telling_;
  Beside beside_;
  std::optional<Inherited> inherited_;  // with --count-children, once the program has ended
  bool children_fail_ = false;
};

// From the program's own snapshot at its end; for want of that, from the last check.
Report Hunt::final_report(const Ending& ending, HuntChecks& checks, fs::path* snapshot) const {
  ProgressLine line;
  std::error_code error;
  const fs::path own = files_.at_exit(ending.pid);
  std::string why;
  if (!fs::exists(own, error)) {
    why = why_missing(ending, processes_with_option(files_.pattern()));
  } else if (fs::file_size(own, error) == 0) {
    why = "the program's threads could not all be stopped, or its memory not be listed, at its end";
  } else {
    try {
      Report report = read_report(own.string(), plan_.program, line.sink());
      checks.tell_last_held(&report);
      *snapshot = own;
      return report;
    } catch (const Failure& failure) {
      why = failure.message;
    }
  }
  if (std::string note = files_.why_not(ending.pid); !note.empty()) why = std::move(note);
  if (!checks.last().empty()) {
    try {
      Report report = read_report(checks.last().string(), plan_.program, line.sink());
      report.incomplete_because.push_back(why + "; this is the report of its last check");
      *snapshot = checks.last();
      return report;
    } catch (const Failure&) {
      // The sentence about the program's end says enough.
    }
  }
  return empty_report(plan_.program, static_cast<uint64_t>(ending.pid), why);
}

// A process that the program has started; nothing if it has lost nothing and all could be seen.
void Hunt::tell_other_process(pid_t pid) {
  ProgressLine line;
  Report report;
  try {
    std::vector<std::string> inherited;
    report = read_report(files_.at_exit(pid).string(), {}, line.sink(), [&](Snapshot* snapshot) {
      if (inherited_) inherited = inherited_->leave_to_others(pid, snapshot);
    });
    report.notes.insert(report.notes.end(), inherited.begin(), inherited.end());
  } catch (const Failure&) {
    // Without a note it was killed while it wrote.
    if (const std::string why = files_.why_not(pid); !why.empty())
      telling_.tell("heaprake: " +
                    wrapped("nothing is known of process " + std::to_string(pid) +
                                ", started by the program: " + why,
                            2, 10) +
                    "\n\n");
    return;
  }
  plan_.outputs.refine(&report);
  if (report.findings.blocks == 0 && report.suppressed_blocks == 0) return;
  children_fail_ = children_fail_ || plan_.outputs.fails(report);
  beside_.processes.push_back(plan_.outputs.json(report));
  plan_.outputs.write_process_files(report, files_.at_exit(pid).string());
  line.clear();
  constexpr std::string_view kPrefix = "heaprake: ";
  std::string head = "process " + std::to_string(pid) + ", started by the program";
  if (!report.program.empty())
    head += ": " + shortened(printable(shell_command(report.program)), kReportWidth / 2);
  telling_.tell(std::string(kPrefix) + wrapped(head, 2, kPrefix.size()) + "\n" +
                plan_.outputs.text(report, telling_.colours()) + "\n");
}

// A sentence about each process of which nothing can be told, where children count.
std::vector<std::string> Hunt::silent_children(pid_t program) const {
  constexpr size_t kMost = 8;
  std::vector<HuntFiles::Silent> silent = files_.silent();
  std::erase_if(silent, [&](const HuntFiles::Silent& one) { return one.pid == program; });
  if (silent.empty()) return {};
  const std::vector<pid_t> going_on = processes_with_option(files_.pattern());
  std::vector<std::string> sentences;
  uint64_t more_living = 0, more_ended = 0;
  for (const auto& [pid, name] : silent) {
    const bool lives = std::find(going_on.begin(), going_on.end(), pid) != going_on.end();
    if (sentences.size() == kMost) {
      ++(lives ? more_living : more_ended);
      continue;
    }
    sentences.push_back("child " + std::to_string(pid) + " (" + printable(name) + ") " +
                        (lives ? "has not ended: what it has lost is not known"
                               : "left no report: it was killed, ended by a system call of its "
                                 "own, or became a program that heaprake cannot reach"));
  }
  const auto more = [](uint64_t number) {
    return grouped(number) + (number == 1 ? " more child " : " more children ");
  };
  if (more_ended > 0) sentences.push_back(more(more_ended) + "left no report");
  if (more_living > 0)
    sentences.push_back(more(more_living) + (more_living == 1 ? "has" : "have") + " not ended");
  return sentences;
}

void Hunt::suggest_next(Report* report) const {
  const std::string rest = " -- " + shell_command(plan_.program);
  const std::string saved = shell_quoted(plan_.outputs.save_path());
  if (!report->examined) {
    report->next.push_back({"see the collections while it runs, which need no orderly end",
                            "heaprake run --verbose" + rest});
    return;
  }
  if (report->findings.blocks > 0 && plan_.outputs.saves()) {
    if (!plan_.outputs.has_html())
      report->next.push_back(
          {"look at it in a browser", "heaprake report " + saved + " --html lost.html"});
    report->next.push_back({"see what else takes memory", "heaprake objects " + saved});
  } else if (report->findings.blocks > 0 && !plan_.outputs.has_html()) {
    report->next.push_back({"keep its memory's picture, and look at it in a browser",
                            plan_.repeat + " --save lost.snapshot --html lost.html" + rest});
  }
  report->next.push_back({report->findings.blocks > 0
                              ? "have what it loses reclaimed while it runs, and see how much"
                              : "run it under the collector and see its figures",
                          "heaprake run --stats" + rest});
}

void Hunt::deliver(Report& report, const HuntChecks& checks, const fs::path& snapshot) {
  beside_.checks = checks.checks();
  beside_.growths = checks.growths();
  suggest_next(&report);
  const std::string text = plan_.outputs.text(report, telling_.colours());
  telling_.tell(text);
  telling_.finish();
  plan_.outputs.write_files(report, beside_);
  if (!snapshot.empty()) plan_.outputs.save(snapshot.string());
}

int Hunt::run() {
  std::map<std::string, std::string> library = plan_.library;
  library["mode"] = "hunt";
  // Each process writes a file of its own, or a child of the program would overwrite the program's.
  library["snapshot"] = files_.pattern();
  const Launch launch = prepare_launch(plan_.program, library);
  HuntChecks checks(plan_.checks, plan_.outputs, files_,
                    [this](const std::string& text) { telling_.tell(text); });
  const Ending ending = supervise(launch, [&](pid_t pid) { checks.start(pid); });
  // Who reads stderr may have seen enough; files and the exit status are still owed.
  signal(SIGPIPE, SIG_IGN);
  checks.stop();

  int status = exit_status_of(ending);
  try {
    fs::path snapshot;
    if (plan_.count_children) inherited_.emplace(files_, ending.pid);
    for (pid_t pid : files_.processes())
      if (pid != ending.pid) tell_other_process(pid);
    Report report = final_report(ending, checks, &snapshot);
    report.pid = static_cast<uint64_t>(ending.pid);
    for (std::string& sentence : silent_children(ending.pid))
      report.incomplete_because.push_back(std::move(sentence));
    plan_.outputs.refine(&report);
    const bool fails = plan_.outputs.fails(report) || (plan_.count_children && children_fail_);
    const int leak_status = plan_.leak_status.value_or(report.lsan.exitcode.value_or(kExitLeaks));
    if (status == 0 && fails) status = leak_status;
    deliver(report, checks, snapshot);
  } catch (const Failure& failure) {
    std::fprintf(stderr, "heaprake hunt: %s\n", failure.message.c_str());
    // A program that has ended with 0 must not look like one whose report is there.
    if (exit_status_of(ending) == 0) status = failure.status;
  }
  return status;
}

int execute(const Arguments& arguments) {
  return Hunt(arguments).run();
}

}  // namespace

const Subcommand kHunt = {"hunt",
                          "[options] -- PROGRAM ARGS...",
                          "run a program, free nothing, report what it has lost",
                          kHuntHelp,
                          Order::kProgramFirst,
                          options,
                          execute};

}  // namespace heaprake::cli
