// heaprake run: a program with the collector preloaded, in this process's place.
#include "cli/failure.h"
#include "cli/launch.h"
#include "cli/option_table.h"
#include "cli/subcommand.h"

namespace heaprake::cli {

namespace {

std::vector<OptionSpec> options() {
  return library_option_specs();
}

int execute(const Arguments& arguments) {
  const std::map<std::string, std::string> chosen = chosen_options(arguments);
  if (arguments.operands.empty())
    throw Failure(kExitUsage, "no program to run: heaprake run [options] -- PROGRAM ARGS");
  const Launch launch = prepare_launch(arguments.operands, chosen);
  throw_exec_failure(launch, Exec(launch)());
}

constexpr char kHelp[] =
    R"(Runs PROGRAM with libheaprake.so preloaded, in place of this process: its process id, signals,
streams and exit status are its own. Options go to the library in the variable HEAPRAKE_OPTIONS;
where both name one, the command line wins. Sizes take the suffixes k, m and g; in a PATH, %p stands
for the process id. Programs that PROGRAM starts run under heaprake too.

Would heaprake ever take away a block that PROGRAM still uses? --mode=oracle frees nothing, and
counts as a mistake each block that would have been freed and that PROGRAM later frees, resizes or
asks the usable size of. It does not see a block being read or written. For that there is --poison:
what the collector frees is filled with 0xdb bytes and not used again, so that PROGRAM, should it
still read such a block, finds 0xdb where its data was. Neither tells about what PROGRAM did not do
this time.

Examples:
  heaprake run -- ./server --port 8080           collect what the server loses
  heaprake run --stats -- ./batch input.txt      and say at its end how much that was
  heaprake run --mode=oracle --stats -- ./tests  would it free what ./tests frees later?
  heaprake run --poison -- ./tests               does ./tests read what was freed?

Exit status: the program's own; 1 if libheaprake.so is not found; 2 for a wrong command line; 126 if
the program cannot be run, or not under heaprake (static, set-user-ID, 32-bit, another machine); 127
if there is none.
)";

}  // namespace

const Subcommand kRun = {
    "run",  "[options] -- PROGRAM ARGS...", "run a program and collect its garbage while it runs",
    kHelp,  Order::kProgramFirst,           options,
    execute};

}  // namespace heaprake::cli
