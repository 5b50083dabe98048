#include <algorithm>
#include <map>

#include "cli/analysis/structures.h"
#include "cli/report/formats.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

struct Leak {
  bool direct;
  uint32_t stack;
  uint64_t blocks = 0, bytes = 0;
};

// One entry a stack, direct ones first, most bytes first: as LeakSanitizer orders them.
std::vector<Leak> leaks_of(const Report& report) {
  std::map<std::pair<bool, uint32_t>, Leak> sums;
  for (const Finding& finding : report.findings.lost) {
    for (const Share& share : finding.shares) {
      Leak& leak =
          sums.try_emplace({share.root, share.stack}, Leak{share.root, share.stack}).first->second;
      leak.blocks += share.blocks;
      leak.bytes += share.bytes;
    }
  }
  std::vector<Leak> leaks;
  leaks.reserve(sums.size());
  for (const auto& [key, leak] : sums) leaks.push_back(leak);
  std::stable_sort(leaks.begin(), leaks.end(), [](const Leak& a, const Leak& b) {
    return a.direct != b.direct ? a.direct : a.bytes > b.bytes;
  });
  return leaks;
}

const Module* module_of(const Report& report, const Frame& frame) {
  for (const Module& module : report.snapshot->modules)
    if (!frame.module.empty() && module.path == frame.module) return &module;
  return nullptr;
}

std::string frame_line(const Report& report, const Frame& frame, size_t number) {
  const Module* module = module_of(report, frame);
  std::string line = "    #" + std::to_string(number) + " " +
                     hexadecimal((module ? module->load : 0) + frame.offset);
  if (!frame.function.empty()) line += " in " + printable(frame.function);
  if (!frame.file.empty()) {
    line += " " + printable(frame.file);
    if (frame.line != 0) line += ":" + std::to_string(frame.line);
  } else if (module) {
    line += " (" + printable(module->path) + "+" + hexadecimal(frame.offset) + ")";
    if (!module->build_id.empty()) line += " (BuildId: " + hex_digits(module->build_id) + ")";
  }
  return line + "\n";
}

void add_suppressions(const Report& report, std::string* text) {
  if (report.suppressed_blocks == 0 || !report.lsan.print_suppressions) return;
  const std::string rule(53, '-');
  *text += rule + "\nSuppressions used:\n  count      bytes template\n";
  for (const SuppressionUse& use : report.suppressions) {
    if (use.findings == 0) continue;
    std::string count = std::to_string(use.blocks), bytes = std::to_string(use.bytes);
    count.insert(0, count.size() < 7 ? 7 - count.size() : 0, ' ');
    bytes.insert(0, bytes.size() < 10 ? 10 - bytes.size() : 0, ' ');
    text->append(count).append(" ").append(bytes).append(" ");
    text->append(use.rule, use.rule.find(':') + 1).append("\n");
  }
  *text += rule + "\n\n";
}

size_t most_told(const Report& report, size_t leaks) {
  const uint64_t most = report.lsan.max_leaks.value_or(0);
  return most == 0 ? leaks : std::min<uint64_t>(most, leaks);
}

// The lost blocks, by what an entry stands for: direct ones or others, of one stack.
using Objects = std::map<std::pair<bool, uint32_t>, std::vector<uint32_t>>;

Objects objects_of(const Report& report) {
  Objects objects;
  const Structures lost = find_structures(*report.snapshot);
  for (const Structure& structure : lost.all) {
    for (uint32_t i = structure.begin; i < structure.end; ++i) {
      const uint32_t block = lost.block_of[lost.order[i]];
      const bool direct = i < structure.begin + structure.root_blocks;
      objects[{direct, report.snapshot->stack[block]}].push_back(block);
    }
  }
  return objects;
}

void add_objects(const Report& report, const Objects& objects, const Leak& leak,
                 std::string* text) {
  const auto found = objects.find({leak.direct, leak.stack});
  if (found == objects.end()) return;
  // Of a stack of which some blocks are suppressed, with what they hang on, nobody knows which.
  if (found->second.size() != leak.blocks) return;
  *text += "Objects leaked above:\n";
  for (uint32_t block : found->second)
    *text += hexadecimal(report.snapshot->address[block]) + " (" +
             std::to_string(report.snapshot->requested[block]) + " bytes)\n";
  *text += "\n";
}

}  // namespace

std::string lsan_text(const Report& report) {
  std::string text;
  // Not LeakSanitizer's, but silence would look like success.
  for (const std::string& why : report.incomplete_because)
    text += "==" + std::to_string(report.pid) + "==heaprake: incomplete: " + printable(why) + "\n";
  const Findings& findings = report.findings;
  if (findings.blocks == 0) {
    add_suppressions(report, &text);
    return text;
  }
  text += "\n" + std::string(65, '=') + "\n==" + std::to_string(report.pid) +
          "==ERROR: LeakSanitizer: detected memory leaks\n\n";
  const std::vector<Leak> leaks = leaks_of(report);
  const size_t told = most_told(report, leaks.size());
  if (told < leaks.size()) text += "The " + std::to_string(told) + " top leak(s):\n";
  const Objects objects = report.lsan.report_objects ? objects_of(report) : Objects();
  for (size_t number = 0; number < told; ++number) {
    const Leak& leak = leaks[number];
    text += std::string(leak.direct ? "Direct" : "Indirect") + " leak of " +
            std::to_string(leak.bytes) + " byte(s) in " + std::to_string(leak.blocks) +
            " object(s) allocated from:\n";
    const std::vector<Frame>& stack = stack_of(report, leak.stack);
    for (size_t i = 0; i < stack.size(); ++i) text += frame_line(report, stack[i], i);
    if (stack.empty()) text += "    <empty stack>\n";
    text += "\n";
    add_objects(report, objects, leak, &text);
  }
  if (told < leaks.size())
    text += "Omitting " + std::to_string(leaks.size() - told) + " more leak(s).\n";
  add_suppressions(report, &text);
  return text + "SUMMARY: LeakSanitizer: " + std::to_string(findings.bytes) +
         " byte(s) leaked in " + std::to_string(findings.blocks) + " allocation(s).\n";
}

}  // namespace heaprake::cli
