// What a finding is known by: names, and the place they come from.
#include <algorithm>
#include <cstdio>
#include <set>
#include <tuple>

#include "cli/analysis/circles.h"
#include "cli/analysis/merging.h"
#include "cli/analysis/sites.h"
#include "cli/report/frames.h"
#include "cli/report/report.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

// FNV-1a, as 16 hex digits.
std::string digits_of(std::string_view text) {
  uint64_t value = 0xcbf29ce484222325ull;
  for (char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  char digits[24];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

// A zero byte keeps neighbouring texts apart.
void add(std::string_view word, std::string* text) {
  text->append(word).push_back('\0');
}

// Offsets and lines change with every build; where there are no names, modules must do.
std::string names_on(std::span<const Frame> stack) {
  std::string names;
  for (const Frame& frame : stack) {
    add(frame.function, &names);
    if (frame.function.empty()) add(base_name(frame.module), &names);
  }
  return names;
}

// The places on a stack, as findings are told apart by them.
std::string site_of(std::span<const Frame> stack) {
  std::string site;
  bool program_seen = false;
  for (const Frame& frame : stack) {
    if (!frame.file.empty() && frame.line != 0)
      site += frame.file + ":" + std::to_string(frame.line);
    else if (program_seen && !frame.function.empty())
      site += frame.function;
    else
      site.append(base_name(frame.module)).append("+").append(std::to_string(frame.offset));
    site += "\n";
    program_seen = program_seen || !is_system_module(frame.module);
  }
  return site;
}

struct KnownBy {
  std::vector<std::string> labels;
  std::string names, site;  // of the stack that stands for all of its members'
};

// Wherever a cycle begins: of members that its labels do not tell apart, that with the least stack.
KnownBy known_by(const Report& report, const Finding& finding) {
  const std::vector<const Member*> lost = lost_members(finding);
  std::vector<std::string> labels;
  for (const Member* member : lost) labels.push_back(member->label);
  KnownBy known{known_words(finding, labels), "", ""};
  std::set<uint32_t> stacks;
  if (is_long_ring(finding)) {
    for (const Member* member : lost)
      if (member->label == known.labels.front()) stacks.insert(member->stack);
  } else {
    for (size_t start : least_starts(labels)) stacks.insert(lost[start]->stack);
  }
  bool any = false;
  for (uint32_t number : stacks) {
    const std::vector<Frame>& stack = stack_of(report, number);
    std::string names = names_on(stack), site = site_of(stack);
    if (any && std::tie(known.names, known.site) <= std::tie(names, site)) continue;
    known.names = std::move(names);
    known.site = std::move(site);
    any = true;
  }
  return known;
}

}  // namespace

std::string fingerprint(const Report& report, const Finding& finding) {
  const KnownBy known = known_by(report, finding);
  std::string text;
  // What hangs on the root changes with what the program was fed.
  add(name_of(finding.cycle_length > 0 ? Shape::kCycle : Shape::kBlock), &text);
  for (const std::string& label : known.labels) add(label, &text);
  return digits_of(text + known.names);
}

std::string place_of(const Report& report, const Finding& finding) {
  return digits_of(known_by(report, finding).site);
}

}  // namespace heaprake::cli
