// heaprake objects PID|FILE: the blocks that exist in a running process, or in a snapshot.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>

#include "cli/failure.h"
#include "cli/json_writer.h"
#include "cli/objects_in_snapshot.h"
#include "cli/process.h"
#include "cli/request.h"
#include "cli/subcommand.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

constexpr uint64_t kTop = 20;

std::vector<OptionSpec> options() {
  return {{"top", Takes::kValue, "N",
           "list the N largest blocks (default 20; with --json all, in address order)"},
          {"type", Takes::kValue, "T", "only blocks of this type, those that retain most first"},
          {"json", Takes::kNothing, "", "print JSON instead of tables"}};
}

std::vector<heaprake_object> objects_of(pid_t pid) {
  const std::string answer = request(pid, HEAPRAKE_REQUEST_OBJECTS);
  if (answer.size() % sizeof(heaprake_object) != 0)
    throw Failure(kExitFailure, "process " + std::to_string(pid) + " broke off its answer");
  std::vector<heaprake_object> objects(answer.size() / sizeof(heaprake_object));
  if (!objects.empty()) std::memcpy(objects.data(), answer.data(), answer.size());
  return objects;
}

// The `top` largest, largest first.
std::vector<heaprake_object> largest(std::vector<heaprake_object> objects, uint64_t top) {
  const size_t count = std::min<uint64_t>(top, objects.size());
  std::partial_sort(objects.begin(), objects.begin() + static_cast<long>(count), objects.end(),
                    [](const heaprake_object& a, const heaprake_object& b) {
                      return a.size != b.size ? a.size > b.size : a.address < b.address;
                    });
  objects.resize(count);
  return objects;
}

uint64_t bytes_of(const std::vector<heaprake_object>& objects) {
  uint64_t bytes = 0;
  for (const heaprake_object& object : objects) bytes += object.size;
  return bytes;
}

void print_json(pid_t pid, const std::vector<heaprake_object>& all,
                const std::vector<heaprake_object>& listed) {
  JsonWriter json;
  json.begin_object().member("pid", static_cast<uint64_t>(pid));
  json.member("count", all.size()).member("bytes", bytes_of(all)).key("objects").begin_array();
  for (const heaprake_object& object : listed) {
    json.begin_object().member("address", hexadecimal(object.address));
    json.member("size", object.size).end_object();
  }
  json.end_array().end_object();
  std::fputs(json.text().c_str(), stdout);
}

void print_text(const std::vector<heaprake_object>& all,
                const std::vector<heaprake_object>& listed) {
  std::printf("%s, %s\n", counted(all.size(), "block").c_str(),
              counted(bytes_of(all), "byte").c_str());
  if (listed.empty()) return;
  std::printf("\nThe largest:\n%20s  %s\n", "BYTES", "ADDRESS");
  for (const heaprake_object& object : listed)
    std::printf("%20s  %s\n", grouped(object.size).c_str(), hexadecimal(object.address).c_str());

  struct Size {
    uint64_t size, count;
  };
  std::map<uint64_t, uint64_t> counts;
  for (const heaprake_object& object : all) ++counts[object.size];
  std::vector<Size> sizes;
  sizes.reserve(counts.size());
  for (const auto& [size, count] : counts) sizes.push_back({size, count});
  std::stable_sort(sizes.begin(), sizes.end(), [](const Size& a, const Size& b) {
    return a.size * a.count > b.size * b.count;
  });
  if (sizes.size() > listed.size()) sizes.resize(listed.size());
  std::printf("\nThe sizes that take most:\n%20s  %12s  %s\n", "BYTES", "BLOCKS", "OF SIZE");
  for (const Size& size : sizes)
    std::printf("%20s  %12s  %s\n", grouped(size.size * size.count).c_str(),
                grouped(size.count).c_str(), grouped(size.size).c_str());
}

int execute(const Arguments& arguments) {
  if (arguments.operands.size() != 1)
    throw Failure(kExitUsage, "name one process or snapshot: heaprake objects PID|FILE");
  const std::string& subject = arguments.operands[0];
  uint64_t top = kTop, number = 0;
  if (arguments.has("top") && !parse_number(arguments.value("top"), &top))
    throw Failure(kExitUsage, "--top=" + printable(arguments.value("top")) + ": N is a number");
  std::error_code error;
  if (arguments.has("type") || !parse_number(subject, &number) ||
      std::filesystem::exists(subject, error)) {
    list_snapshot_objects({subject, arguments.value("type"), top, arguments.has("json")});
    return kExitSuccess;
  }
  const pid_t pid = parse_pid(subject);
  const std::vector<heaprake_object> all = objects_of(pid);
  if (arguments.has("json"))
    print_json(pid, all, arguments.has("top") ? largest(all, top) : all);
  else
    print_text(all, largest(all, top));
  return kExitSuccess;
}

constexpr char kHelp[] =
    R"(Lists the blocks that exist in the process now, dead ones that have not been collected included:
how many, the largest, and the sizes that take most. While the program runs on, this is a moment's
approximation.

Of a snapshot, or with --type, it lists types, allocation sites, and the blocks that retain most: a
block retains what could be freed if it were, itself included.

Examples:
  heaprake objects 4711
  heaprake objects 4711 --top 5
  heaprake objects 4711 --json | jq '[.objects[].size] | add'
  heaprake objects now.snapshot --type Session --top 20

Exit status: 0; 1 if the process cannot be asked or does not answer, or the file is no whole
snapshot.
)";

}  // namespace

const Subcommand kObjects = {"objects",
                             "PID|FILE [--type T] [--top N] [--json]",
                             "list the blocks of a running process or a snapshot",
                             kHelp,
                             Order::kMixed,
                             options,
                             execute};

}  // namespace heaprake::cli
