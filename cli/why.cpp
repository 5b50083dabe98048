// heaprake why PID|FILE ADDRESS: who keeps a block alive.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "cli/analysis/folding.h"
#include "cli/analysis/paths.h"
#include "cli/failure.h"
#include "cli/json_writer.h"
#include "cli/opened.h"
#include "cli/report/frames.h"
#include "cli/subcommand.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

// Of a way: so many blocks from either end.
constexpr size_t kMostSteps = 24, kEitherEnd = 10;

std::vector<OptionSpec> options() {
  return {{"json", Takes::kNothing, "", "print JSON instead of text, every block of the way"}};
}

uint64_t parse_address(const std::string& text) {
  char* end = nullptr;
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  errno = 0;
  const uint64_t address = std::strtoull(text.c_str(), &end, 16);
  if (!hexadecimal || text.size() < 3 || *end != '\0' || errno != 0)
    throw Failure(kExitUsage, printable(text) + ": an address is a number like 0x7f0000001230");
  return address;
}

std::string about_block(const Opened& opened, uint32_t block) {
  const Snapshot& snapshot = *opened.snapshot;
  std::string text = name_of_block(opened.names(), block) + ", " +
                     counted(snapshot.requested[block], "byte") + " at " +
                     hexadecimal(snapshot.address[block]);
  const Frame* frame = own_frame(opened.symbols->stack(snapshot.stack[block]));
  if (frame) {
    const std::string place = frame_place(*frame);
    text += ", allocated in " + printable(frame_name(*frame)) +
            (place.empty() ? "" : " (" + printable(place) + ")");
  }
  return text;
}

void print_step(const Opened& opened, const Path& path, size_t i) {
  const Path::Step& step = path.steps[i];
  const Names names = opened.names();
  std::string line = "  ";
  if (i > 0) {
    const uint32_t before = path.steps[i - 1].block;
    line += name_of_word(names, before, step.offset) + note_of_word(step) + " -> ";
  } else {
    line += "-> ";
  }
  line +=
      name_of_block(names, step.block) + " at " + hexadecimal(opened.snapshot->address[step.block]);
  if (step.inner > 0) line += " + " + grouped(step.inner);
  std::printf("%s\n", wrapped(line, 6, 0).c_str());
}

void print_path(const Opened& opened, const Path& path) {
  const std::string root = opened.symbols->describe(path.root) + note_of_word(path.steps[0]);
  std::printf("held by %s\n", printable(root).c_str());
  const size_t count = path.steps.size();
  for (size_t i = 0; i < count; ++i) {
    const bool left_out = count > kMostSteps && i >= kEitherEnd && i + kEitherEnd < count;
    if (!left_out)
      print_step(opened, path, i);
    else if (i == kEitherEnd)
      std::printf("  ... %s more; --json lists them\n", grouped(count - 2 * kEitherEnd).c_str());
  }
}

// What a way by weak_ptrs means, "" if it is none: Paths has found no better one.
std::string about_weak_words(const Opened& opened, const Path& path) {
  const auto step = std::find_if(path.steps.begin(), path.steps.end(),
                                 [](const Path::Step& at) { return at.weak; });
  if (step == path.steps.end()) return "";
  const std::optional<OwnerCounts> counts = counts_of(*opened.snapshot, opened.types, step->block);
  if (counts && counts->owners == 0) {
    const bool last = step + 1 == path.steps.end();
    return "kept only by std::weak_ptr: the memory " +
           (last ? "" : "of " + name_of_block(opened.names(), step->block) + " ") +
           "stays until the last weak_ptr goes; the object has been destroyed";
  }
  return "kept only by way of a std::weak_ptr, which keeps no object alive: if a shared_ptr owns "
         "it, that one is out of reach itself, as in a lost cycle";
}

void write_step(JsonWriter& json, const Opened& opened, const Path& path, size_t i) {
  const Path::Step& step = path.steps[i];
  json.begin_object().member("address", hexadecimal(opened.snapshot->address[step.block]));
  json.member("type", opened.types.name(step.block));
  json.member("size", opened.snapshot->requested[step.block]);
  if (i > 0) {
    json.member("offset", uint64_t{step.offset});
    json.member("field", name_of_word(opened.names(), path.steps[i - 1].block, step.offset));
  }
  json.member("inner", uint64_t{step.inner}).key("weak").boolean(step.weak).end_object();
}

void print_json(const Opened& opened, uint32_t block, const std::optional<Path>& path) {
  const Snapshot& snapshot = *opened.snapshot;
  JsonWriter json;
  json.begin_object().member("address", hexadecimal(snapshot.address[block]));
  json.member("type", opened.types.name(block)).member("size", snapshot.requested[block]);
  json.key("lost").boolean(!snapshot.reachable(block)).key("root");
  if (path)
    json.string(opened.symbols->describe(path->root));
  else
    json.null();
  json.key("path").begin_array();
  for (size_t i = 0; path && i < path->steps.size(); ++i) write_step(json, opened, *path, i);
  json.end_array().end_object();
  std::fputs(json.text().c_str(), stdout);
}

void print_text(const Opened& opened, uint32_t block, uint64_t address,
                const std::optional<Path>& path) {
  std::string line = about_block(opened, block);
  const uint64_t start = opened.snapshot->address[block];
  if (address != start)
    line += "; " + hexadecimal(address) + " is at offset " + grouped(address - start);
  std::printf("%s\n", wrapped(line, 2, 0).c_str());
  if (path) {
    print_path(opened, *path);
    const std::string about = about_weak_words(opened, *path);
    if (!about.empty()) std::printf("%s\n", wrapped(about, 2, 0).c_str());
  } else if (!opened.snapshot->reachable(block)) {
    std::printf("lost: no way leads there from any root\n");
  } else {
    std::printf("kept, but no root was recorded that leads there\n");
  }
}

int execute(const Arguments& arguments) {
  if (arguments.operands.size() != 2)
    throw Failure(kExitUsage, "name a process or a snapshot, and an address");
  const std::string& subject = arguments.operands[0];
  const uint64_t address = parse_address(arguments.operands[1]);
  ProgressLine line;
  const Progress progress = line.sink();
  const Opened opened = open_snapshot(subject, progress);
  need_all(opened, subject, "a way from a root");
  const uint32_t block = opened.snapshot->block_at(address);
  if (block == UINT32_MAX)
    throw Failure(kExitFailure, "there is no block at " + hexadecimal(address));
  const std::optional<Path> path = Paths(opened.names(), progress).to(block);
  line.clear();
  if (arguments.has("json"))
    print_json(opened, block, path);
  else
    print_text(opened, block, address, path);
  return kExitSuccess;
}

constexpr char kHelp[] =
    R"(Prints the shortest way by which the program can still reach the block that contains ADDRESS: a
root (a global, if one leads there; else a thread's stack or registers, or another mapping), and the
blocks from there on, with the field or offset by which each refers to the next. It goes by a
std::weak_ptr only if there is no other way, and says so. A lost block has none. Snapshots that
`heaprake snapshot` takes have all blocks; those of a hunt the lost ones only, unless it was asked
for more.

Examples:
  heaprake why 4711 0x5a3c00090190
  heaprake why now.snapshot 0x5a3c00090190 --json

Exit status: 0; 1 if the process cannot be asked, the file is no whole snapshot, or no block is
there; 2 for a wrong command line.
)";

}  // namespace

const Subcommand kWhy = {"why",
                         "PID|FILE ADDRESS [--json]",
                         "who keeps a block alive: the shortest way from a root",
                         kHelp,
                         Order::kMixed,
                         options,
                         execute};

}  // namespace heaprake::cli
