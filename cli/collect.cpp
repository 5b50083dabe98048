// heaprake collect PID: a collection now.
#include <cstdio>
#include <cstring>

#include "cli/failure.h"
#include "cli/process.h"
#include "cli/request.h"
#include "cli/subcommand.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

std::vector<OptionSpec> options() {
  return {};
}

std::string outcome(const heaprake_collected& collected) {
  const std::string amount =
      counted(collected.blocks, "block") + " (" + counted(collected.bytes, "byte") + ")";
  switch (collected.mode) {
    case 0:
      return collected.pending
                 ? "found " + amount + " to reclaim; the program frees " +
                       (collected.blocks == 1 ? "it" : "them") + " at its next allocation"
                 : "reclaimed " + amount;
    case 1:
      return "found " + amount + " unreachable; mode hunt reclaims nothing";
    case 2:
      return "condemned " + amount + "; mode oracle reclaims nothing";
    default:
      return "nothing was done: the program runs with mode off";
  }
}

int execute(const Arguments& arguments) {
  if (arguments.operands.size() != 1)
    throw Failure(kExitUsage, "name one process: heaprake collect PID");
  const pid_t pid = parse_pid(arguments.operands[0]);
  const std::string answer = request(pid, HEAPRAKE_REQUEST_COLLECT);
  heaprake_collected collected{};
  if (answer.size() < sizeof collected)
    throw Failure(kExitFailure, "process " + std::to_string(pid) + " broke off its answer");
  std::memcpy(&collected, answer.data(), sizeof collected);
  std::printf("%s\n", outcome(collected).c_str());
  return kExitSuccess;
}

constexpr char kHelp[] =
    R"(Has the process collect at once, also while it has automatic collection turned off, and prints how
much that reclaimed. The program needs no thread, file or socket for it, and notices nothing but the
pause.

Examples:
  heaprake collect 4711
  heaprake stats 4711            how long its pauses are

Exit status: 0; 1 if the process cannot be asked, does not answer, or could not stop its threads.
)";

}  // namespace

const Subcommand kCollect = {
    "collect", "PID", "have a running process collect now", kHelp, Order::kMixed, options, execute};

}  // namespace heaprake::cli
