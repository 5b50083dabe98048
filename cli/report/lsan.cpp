#include <algorithm>
#include <map>

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
  if (report.suppressed_blocks == 0) return;
  const std::string rule(53, '-');
  *text += rule + "\nSuppressions used:\n  count      bytes template\n";
  for (const SuppressionUse& use : report.suppressions) {
    if (use.findings == 0) continue;
    std::string count = std::to_string(use.blocks), bytes = std::to_string(use.bytes);
    count.insert(0, count.size() < 7 ? 7 - count.size() : 0, ' ');
    bytes.insert(0, bytes.size() < 10 ? 10 - bytes.size() : 0, ' ');
    *text += count + " " + bytes + " " + use.rule.substr(use.rule.find(':') + 1) + "\n";
  }
  *text += rule + "\n\n";
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
  for (const Leak& leak : leaks_of(report)) {
    text += std::string(leak.direct ? "Direct" : "Indirect") + " leak of " +
            std::to_string(leak.bytes) + " byte(s) in " + std::to_string(leak.blocks) +
            " object(s) allocated from:\n";
    const std::vector<Frame>& stack = stack_of(report, leak.stack);
    for (size_t i = 0; i < stack.size(); ++i) text += frame_line(report, stack[i], i);
    if (stack.empty()) text += "    <empty stack>\n";
    text += "\n";
  }
  add_suppressions(report, &text);
  return text + "SUMMARY: LeakSanitizer: " + std::to_string(findings.bytes) +
         " byte(s) leaked in " + std::to_string(findings.blocks) + " allocation(s).\n";
}

}  // namespace heaprake::cli
