// heaprake diff FILE FILE: what has grown between two snapshots, and what has been lost.
#include <cstdio>

#include "cli/analysis/analysis.h"
#include "cli/analysis/growth.h"
#include "cli/failure.h"
#include "cli/json_writer.h"
#include "cli/opened.h"
#include "cli/report/duration.h"
#include "cli/report/frames.h"
#include "cli/subcommand.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

constexpr uint64_t kTop = 10;

std::vector<OptionSpec> options() {
  return {{"top", Takes::kValue, "N", "list the N that have grown most (default 10)"},
          {"json", Takes::kNothing, "", "print JSON instead of text"}};
}

struct Difference {
  const Opened& before;
  const Opened& after;
  GrowthReport growth;
  std::vector<NewLeak> leaks;
  std::optional<Paths> paths;  // of the later snapshot
  uint64_t top;
};

std::string with_sign(int64_t number) {
  return number < 0 ? "-" + grouped(static_cast<uint64_t>(-number))
                    : "+" + grouped(static_cast<uint64_t>(number));
}

std::string site_name(const Opened& opened, const Growth& growth) {
  const Frame* frame = own_frame(opened.symbols->stack(growth.stack));
  if (!frame) return growth.stack == 0 ? "blocks of " + counted(growth.size, "byte") : "unknown";
  const std::string place = frame_place(*frame);
  return printable(frame_name(*frame)) + (place.empty() ? "" : " (" + printable(place) + ")");
}

std::string name_of_growth(const Difference& d, const Growth& growth) {
  return growth.type.empty() ? site_name(d.after, growth) : printable(growth.type);
}

std::string holder(const Difference& d, const Growth& growth) {
  if (!d.after.snapshot->reachable(growth.example)) return "nothing: they are lost";
  const std::optional<Path> path = d.paths->to(growth.example);
  return path ? printable(path_text(d.after.names(), *path)) : "a root that was not recorded";
}

void print_line(const std::string& text, size_t indent) {
  std::printf("%s\n", wrapped(std::string(indent, ' ') + text, indent + 2, 0).c_str());
}

void print_growths(const Difference& d, const char* title, const std::vector<Growth>& growths) {
  if (growths.empty()) return;
  std::printf("\n%s\n", title);
  for (size_t i = 0; i < growths.size() && i < d.top; ++i) {
    const Growth& growth = growths[i];
    std::string line =
        with_sign(growth.bytes()) + " bytes, " + with_sign(growth.blocks()) + " blocks";
    if (d.growth.elapsed_ms > 0)
      line += ", " + with_sign(hourly(growth.bytes(), d.growth.elapsed_ms)) + " bytes an hour";
    print_line(line + ": " + name_of_growth(d, growth), 2);
    print_line("now " + counted(growth.after.bytes, "byte") + " in " +
                   counted(growth.after.blocks, "block") + ", held by " + holder(d, growth),
               6);
  }
  if (growths.size() > d.top)
    std::printf("  and %s more: --top %zu lists them\n", grouped(growths.size() - d.top).c_str(),
                growths.size());
}

void print_leaks(const Difference& d) {
  if (d.leaks.empty()) return;
  std::printf("\nLost since then:\n");
  for (size_t i = 0; i < d.leaks.size() && i < d.top; ++i) {
    const Finding& finding = *d.leaks[i].finding;
    std::string line = grouped(d.leaks[i].structures) + " times " + printable(finding.title);
    const Frame* frame = own_frame(d.after.symbols->stack(finding.stack()));
    if (frame) line += ", allocated in " + printable(frame_name(*frame));
    print_line(line, 2);
  }
  if (d.leaks.size() > d.top)
    std::printf("  and %s more\n", grouped(d.leaks.size() - d.top).c_str());
}

std::string amounts(const char* what, const Amount& before, const Amount& after) {
  return std::string(what) + ": " + grouped(before.blocks) + " -> " +
         counted(after.blocks, "block") + ", " + grouped(before.bytes) + " -> " +
         counted(after.bytes, "byte");
}

void print_text(const Difference& d, const std::string& later) {
  const GrowthReport& growth = d.growth;
  std::string head = growth.same_process ? "two snapshots of process " +
                                               std::to_string(d.after.snapshot->header.pid)
                                         : "snapshots of two processes";
  if (growth.elapsed_ms > 0) head += ", " + duration_words(growth.elapsed_ms) + " apart";
  std::printf("%s\n", head.c_str());
  print_line(amounts("reachable", growth.reachable_before, growth.reachable_after), 2);
  print_line(amounts("lost", growth.lost_before, growth.lost_after), 2);
  if (growth.sites.empty()) std::printf("\nNothing has grown.\n");
  print_growths(d, "Allocation sites that have grown:", growth.sites);
  print_growths(d, "Types that have grown:", growth.types);
  print_leaks(d);
  if (!growth.sites.empty())
    std::printf(
        "\nnext, to see all of the way to the block that grows most:\n  heaprake why %s %s\n",
        shell_quoted(later).c_str(),
        hexadecimal(d.after.snapshot->address[growth.sites[0].example]).c_str());
}

void write_signed(JsonWriter& json, std::string_view name, int64_t number) {
  // Only growth is listed, and it is never negative but in blocks.
  json.key(name);
  if (number < 0)
    json.string(std::to_string(number));
  else
    json.number(static_cast<uint64_t>(number));
}

void write_amount(JsonWriter& json, std::string_view name, const Amount& amount) {
  json.key(name).begin_object().member("blocks", amount.blocks);
  json.member("bytes", amount.bytes).end_object();
}

void write_growths(JsonWriter& json, const Difference& d, std::string_view name,
                   const std::vector<Growth>& growths) {
  json.key(name).begin_array();
  for (const Growth& growth : growths) {
    json.begin_object().member("name", name_of_growth(d, growth));
    write_amount(json, "before", growth.before);
    write_amount(json, "after", growth.after);
    write_signed(json, "bytes_per_hour", hourly(growth.bytes(), d.growth.elapsed_ms));
    json.member("held_by", holder(d, growth));
    json.member("example", hexadecimal(d.after.snapshot->address[growth.example])).end_object();
  }
  json.end_array();
}

void print_json(const Difference& d) {
  JsonWriter json;
  json.begin_object().member("schema", "heaprake-diff/1");
  json.key("same_process").boolean(d.growth.same_process);
  json.member("elapsed_ms", d.growth.elapsed_ms);
  write_amount(json, "reachable_before", d.growth.reachable_before);
  write_amount(json, "reachable_after", d.growth.reachable_after);
  write_amount(json, "lost_before", d.growth.lost_before);
  write_amount(json, "lost_after", d.growth.lost_after);
  write_growths(json, d, "sites", d.growth.sites);
  write_growths(json, d, "types", d.growth.types);
  json.key("new_leaks").begin_array();
  for (const NewLeak& leak : d.leaks) {
    json.begin_object().member("title", leak.finding->title);
    json.member("shape", name_of(leak.finding->shape));
    json.member("structures", leak.structures).end_object();
  }
  json.end_array().end_object();
  std::fputs(json.text().c_str(), stdout);
}

int execute(const Arguments& arguments) {
  if (arguments.operands.size() != 2)
    throw Failure(kExitUsage, "name two snapshots, the earlier one first");
  uint64_t top = kTop;
  if (arguments.has("top") && !parse_number(arguments.value("top"), &top))
    throw Failure(kExitUsage, "--top=" + printable(arguments.value("top")) + ": N is a number");
  ProgressLine line;
  const Progress progress = line.sink();
  const Opened before = open_snapshot(arguments.operands[0], progress);
  const Opened after = open_snapshot(arguments.operands[1], progress);
  need_all(before, arguments.operands[0], "growth");
  need_all(after, arguments.operands[1], "growth");
  const Findings lost_before = analyse(*before.snapshot, before.types, progress);
  const Findings lost_after = analyse(*after.snapshot, after.types, progress);
  Difference d{before, after, {}, {}, {}, top};
  d.growth = growth_between(*before.snapshot, before.types, *after.snapshot, after.types);
  d.leaks = new_leaks(*before.snapshot, lost_before, *after.snapshot, lost_after);
  d.paths.emplace(*after.snapshot, progress);
  line.clear();
  if (arguments.has("json"))
    print_json(d);
  else
    print_text(d, arguments.operands[1]);
  return kExitSuccess;
}

constexpr char kHelp[] =
    R"(Compares two snapshots, of one process or of two runs of a program, and prints what has grown: by
allocation site and by type, how many blocks and bytes, how fast, and the shortest way from a named
root to the youngest block of each; then what has been lost in between. Most leaks of programs that
run for long are still reachable: they show here, and not in a report of what is lost.

Examples:
  heaprake snapshot 4711 -o before; sleep 600; heaprake snapshot 4711 -o after
  heaprake diff before after
  heaprake diff before after --json | jq '.sites[0]'

Exit status: 0; 1 if a file is no whole snapshot or has not all blocks; 2 for a wrong command line.
)";

}  // namespace

const Subcommand kDiff = {"diff",
                          "FILE FILE [--top N] [--json]",
                          "what has grown, and what was lost, between two snapshots",
                          kHelp,
                          Order::kMixed,
                          options,
                          execute};

}  // namespace heaprake::cli
