#include "cli/report/suppressions.h"

#include <algorithm>
#include <optional>

#include "cli/failure.h"
#include "cli/report/frames.h"
#include "cli/text.h"
#include "cli/text_file.h"

namespace heaprake::cli {

bool matches(std::string_view pattern, std::string_view text) {
  if (text.empty()) return false;
  bool anchored = !pattern.empty() && pattern[0] == '^';
  if (anchored) pattern.remove_prefix(1);
  bool after_star = false;
  while (!pattern.empty()) {
    if (pattern[0] == '*') {
      pattern.remove_prefix(1);
      anchored = false;
      after_star = true;
      continue;
    }
    if (pattern[0] == '$') return text.empty() || after_star;
    if (text.empty()) return false;
    const std::string_view piece = pattern.substr(0, pattern.find_first_of("*$"));
    const size_t at = text.find(piece);
    if (at == std::string_view::npos || (anchored && at != 0)) return false;
    text.remove_prefix(at + piece.size());
    pattern.remove_prefix(piece.size());
    anchored = after_star = false;
  }
  return true;
}

namespace {

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kSpace = " \t\r";
  const size_t begin = line.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kSpace) - begin + 1);
}

bool any_frame_matches(std::string_view pattern, const std::vector<Frame>& stack) {
  return std::any_of(stack.begin(), stack.end(), [&](const Frame& frame) {
    return matches(pattern, frame.function) || matches(pattern, frame.file) ||
           matches(pattern, frame.module);
  });
}

bool applies(const Report& report, const Suppression& suppression, const Finding& finding) {
  return std::any_of(finding.shares.begin(), finding.shares.end(), [&](const Share& share) {
    return share.root && any_frame_matches(suppression.pattern, stack_of(report, share.stack));
  });
}

void count(Report* report, const Finding& finding, SuppressionUse* use) {
  ++use->findings;
  use->blocks += finding.blocks;
  use->bytes += finding.bytes;
  report->suppressed_blocks += finding.blocks;
  report->suppressed_bytes += finding.bytes;
  Findings& findings = report->findings;
  findings.blocks -= finding.blocks;
  findings.bytes -= finding.bytes;
  findings.structures -= finding.structures;
  findings.cycles -= finding.cycles;
}

}  // namespace

std::vector<Suppression> parse_suppressions(std::string_view text, const std::string& file) {
  std::vector<Suppression> suppressions;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line[0] == '#') continue;
    constexpr std::string_view kKind = "leak:";
    if (!line.starts_with(kKind) || line.size() == kKind.size())
      throw Failure(kExitUsage, shell_quoted(file) + ", line " + std::to_string(number) +
                                    ": a suppression is \"leak:\" and a pattern, not " +
                                    shell_quoted(shortened(printable(line), 60)));
    suppressions.push_back({std::string(line.substr(kKind.size())), file});
  }
  return suppressions;
}

std::vector<Suppression> read_suppressions(const std::string& path) {
  const std::optional<std::string> text = read_text_file(path);
  if (!text) throw Failure(kExitUsage, "cannot read the suppressions in " + shell_quoted(path));
  return parse_suppressions(*text, path);
}

void suppress(Report* report, const std::vector<Suppression>& suppressions) {
  for (const Suppression& suppression : suppressions)
    report->suppressions.push_back({"leak:" + suppression.pattern, suppression.file});
  std::vector<Finding> kept;
  for (Finding& finding : report->findings.lost) {
    const auto rule =
        std::find_if(suppressions.begin(), suppressions.end(),
                     [&](const Suppression& s) { return applies(*report, s, finding); });
    if (rule == suppressions.end()) {
      finding.id = kept.size() + 1;
      kept.push_back(std::move(finding));
    } else {
      count(report, finding, &report->suppressions[size_t(rule - suppressions.begin())]);
    }
  }
  report->findings.lost = std::move(kept);
}

namespace {

// A pattern for this name alone: "add" would match load_address too. What a pattern gives a meaning
// stands for itself no more, and a star for whatever is there.
std::string whole_name(const std::string& name) {
  std::string pattern = printable(name);
  std::replace(pattern.begin(), pattern.end(), '$', '*');
  return "^" + pattern + "$";
}

}  // namespace

std::string suppressions_for(const Report& report) {
  std::string text = "# LeakSanitizer's format; heaprake hunt --suppressions reads it\n";
  std::vector<std::string> written;
  for (const Finding& finding : report.findings.lost) {
    const Frame* frame = own_frame(stack_of(report, finding.stack()));
    const std::string comment = "\n# " + std::to_string(finding.id) + ": " +
                                printable(title_of(finding)) + ", " +
                                counted(finding.bytes, "byte") + "\n";
    std::string name;
    if (frame)
      name = frame->function.empty() ? printable(frame->module) : whole_name(frame->function);
    if (name.empty()) {
      text += comment + "# no stack is known: it cannot be suppressed\n";
      continue;
    }
    if (frame->function.empty())
      text += comment + "# the function has no name: this silences the whole module\n";
    else
      text += comment;
    const std::string rule = "leak:" + name + "\n";
    if (std::find(written.begin(), written.end(), rule) != written.end()) {
      text += "# the rule above silences it too: " + rule;
      continue;
    }
    written.push_back(rule);
    text += rule;
  }
  return text;
}

}  // namespace heaprake::cli
