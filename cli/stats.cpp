// heaprake stats PID: the figures of a running process.
#include <cstdio>
#include <cstring>

#include "cli/failure.h"
#include "cli/json_writer.h"
#include "cli/process.h"
#include "cli/request.h"
#include "cli/subcommand.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

struct StatRow {
  const char* name;
  const char* sentence;
};

constexpr StatRow kRows[] = {
#define HEAPRAKE_STAT(type, name, sentence) {#name, sentence},
#include "heaprake/stats.def"
#undef HEAPRAKE_STAT
};

#define HEAPRAKE_STAT(type, name, sentence) static_assert(sizeof(type) == sizeof(uint64_t));
#include "heaprake/stats.def"
#undef HEAPRAKE_STAT

std::vector<OptionSpec> options() {
  return {{"json", Takes::kNothing, "", "print JSON instead of a table"}};
}

std::string readable(const StatRow& row, uint64_t value) {
  if (!std::string_view(row.name).ends_with("_ns")) return grouped(value);
  char text[32];
  std::snprintf(text, sizeof text, "%.3f ms", static_cast<double>(value) / 1e6);
  return text;
}

int execute(const Arguments& arguments) {
  if (arguments.operands.size() != 1)
    throw Failure(kExitUsage, "name one process: heaprake stats PID");
  const pid_t pid = parse_pid(arguments.operands[0]);
  const std::string answer = request(pid, HEAPRAKE_REQUEST_STATS);
  // A library of another version knows fewer rows, or more at the end.
  const size_t known = std::min(answer.size() / sizeof(uint64_t), std::size(kRows));
  std::vector<uint64_t> values(known);
  if (known > 0) std::memcpy(values.data(), answer.data(), known * sizeof(uint64_t));

  JsonWriter json;
  json.begin_object().member("pid", static_cast<uint64_t>(pid));
  std::string text;
  for (size_t i = 0; i < known; ++i) {
    json.member(kRows[i].name, values[i]);
    char columns[80];
    std::snprintf(columns, sizeof columns, "%-16s %18s  ", kRows[i].name,
                  readable(kRows[i], values[i]).c_str());
    const size_t width = std::strlen(columns);
    text += columns + wrapped(kRows[i].sentence, width, width) + "\n";
  }
  json.end_object();
  std::fputs(arguments.has("json") ? json.text().c_str() : text.c_str(), stdout);
  return kExitSuccess;
}

constexpr char kHelp[] =
    R"(Prints the collector's figures since the process started: collections, what they reclaimed, how
long the pauses were. In JSON the names are the same and times are in nanoseconds.

Examples:
  heaprake stats 4711
  heaprake stats 4711 --json | jq .pause_max_ns

Exit status: 0; 1 if the process cannot be asked or does not answer.
)";

}  // namespace

const Subcommand kStats = {"stats", "PID [--json]", "print the figures of a running process",
                           kHelp,   Order::kMixed,  options,
                           execute};

}  // namespace heaprake::cli
