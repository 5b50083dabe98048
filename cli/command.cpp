// The subcommands, their help, and the way to them.
#include <cstdio>

#include "cli/failure.h"
#include "cli/standard_output.h"
#include "cli/subcommand.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

constexpr size_t kColumn = 30;  // where the sentences of options begin

std::string overview() {
  std::string help =
      R"(heaprake: a garbage collector and leak hunter for C and C++ programs as they are

It replaces malloc in a program that knows nothing of it, finds the memory that the program can no
longer reach, and frees it (run) or reports it (hunt).

Usage: heaprake SUBCOMMAND [options]

)";
  for (const Subcommand* subcommand : subcommands()) {
    std::string line = "  " + std::string(subcommand->name);
    line.resize(12, ' ');
    help += line + std::string(subcommand->summary) + "\n";
  }
  help += R"(
Examples:
  heaprake run --stats -- ./server               collect while it runs, print a summary at exit
  heaprake hunt -- ./tests                       report what is lost, free nothing
  heaprake stats 4711                            the figures of a running process

Exit status: the program's own, 128+signal if it was killed; hunt: 23 if the program ended with 0
but lost blocks; 1 if what was asked for could not be done; 2 for a wrong command line, or a file
that would have been overwritten; 126 if a program cannot be run, or not under heaprake; 127 if
there is no such program.

heaprake SUBCOMMAND --help tells more; heaprake --version prints the version.
)";
  return help;
}

std::string option_line(const OptionSpec& spec) {
  std::string line = "  ";
  if (spec.letter) line += "-" + std::string(1, spec.letter) + ", ";
  line += "--" + spec.name;
  if (spec.takes == Takes::kOptional) line += "[=" + spec.placeholder + "]";
  if (spec.takes == Takes::kValue) line += "=" + spec.placeholder;
  if (line.size() + 2 > kColumn) {
    line += "\n" + std::string(kColumn, ' ');
  } else {
    line.resize(kColumn, ' ');
  }
  return line + wrapped(spec.sentence, kColumn, kColumn) + "\n";
}

int dispatch(const Subcommand& subcommand, const std::vector<std::string>& words) {
  const Arguments arguments = parse_arguments(subcommand.options(), subcommand.order, words);
  if (!arguments.has("help")) return subcommand.execute(arguments);
  const std::string help = help_of(subcommand);
  std::fwrite(help.data(), 1, help.size(), stdout);
  return kExitSuccess;
}

void complain(const std::string& who, const Failure& failure) {
  std::string text = who + ": " + failure.message + "\n";
  if (failure.status == kExitUsage) text += "Try '" + who + " --help'.\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

std::string unknown_subcommand(const std::string& name) {
  std::vector<std::string> names;
  for (const Subcommand* subcommand : subcommands()) names.emplace_back(subcommand->name);
  const std::string guess = nearest(name, names);
  return "unknown subcommand " + shell_quoted(printable(name)) +
         (guess.empty() ? "" : "; did you mean " + guess + "?");
}

}  // namespace

const std::vector<const Subcommand*>& subcommands() {
  static const std::vector<const Subcommand*> all = {
      &kRun, &kHunt, &kPs, &kCollect, &kStats, &kObjects, &kSnapshot, &kReport, &kWhy, &kDiff};
  return all;
}

std::string help_of(const Subcommand& subcommand) {
  std::string help = "heaprake " + std::string(subcommand.name) + ": " +
                     std::string(subcommand.summary) + "\n\nUsage: heaprake " +
                     std::string(subcommand.name) + " " + std::string(subcommand.usage) +
                     "\n\nOptions:\n";
  for (const OptionSpec& spec : subcommand.options()) help += option_line(spec);
  help += option_line({"help", Takes::kNothing, "", "print this help", 'h'});
  return help + "\n" + std::string(subcommand.help);
}

namespace {

const Subcommand* subcommand_of(const std::string& name) {
  for (const Subcommand* subcommand : subcommands())
    if (subcommand->name == name) return subcommand;
  return nullptr;
}

int perform(const std::vector<std::string>& words) {
  if (words.empty()) {
    const std::string help = overview();
    std::fwrite(help.data(), 1, help.size(), stderr);
    return kExitUsage;
  }
  const std::string& name = words[0];
  if (name == "--help" || name == "-h" || name == "help") {
    const std::string help = overview();
    std::fwrite(help.data(), 1, help.size(), stdout);
    return kExitSuccess;
  }
  if (name == "--version" || name == "-V") {
    std::puts("heaprake " HEAPRAKE_VERSION);
    return kExitSuccess;
  }
  const Subcommand* subcommand = subcommand_of(name);
  if (!subcommand) throw Failure(kExitUsage, unknown_subcommand(name));
  return dispatch(*subcommand, {words.begin() + 1, words.end()});
}

}  // namespace

int run_command(const std::vector<std::string>& words) {
  const bool known = !words.empty() && subcommand_of(words[0]);
  const std::string who = known ? "heaprake " + words[0] : "heaprake";
  int status = kExitSuccess;
  const auto attempt = [&](const auto& step) {
    try {
      step();
    } catch (const Failure& failure) {
      complain(who, failure);
      if (status == kExitSuccess) status = failure.status;
    }
  };
  watch_standard_output();
  attempt([&] { status = perform(words); });
  attempt(finish_standard_output);
  return status;
}

}  // namespace heaprake::cli
