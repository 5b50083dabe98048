#include "cli/report/report.h"

#include <algorithm>
#include <set>

#include "cli/analysis/analysis.h"
#include "cli/analysis/growth.h"
#include "cli/failure.h"
#include "cli/report/frames.h"
#include "cli/snapshot/reader.h"
#include "cli/text.h"
#include "cli/types/types.h"

namespace heaprake::cli {

Report empty_report(std::vector<std::string> program, uint64_t pid, std::string why) {
  Report report;
  report.examined = false;
  report.program = std::move(program);
  report.pid = pid;
  report.incomplete_because.push_back(std::move(why));
  return report;
}

Report read_report(const std::string& path, const std::vector<std::string>& program,
                   const Progress& progress, const std::function<void(Snapshot*)>& adjust) {
  auto read = std::make_unique<Snapshot>(read_snapshot(path, progress));
  if (adjust) adjust(read.get());
  std::unique_ptr<const Snapshot> snapshot = std::move(read);
  const auto files = std::make_shared<ModuleFiles>(*snapshot);
  const Types types = find_types(*snapshot, progress, files);
  Findings findings = analyse(*snapshot, types, progress, files);
  auto symbols = std::make_unique<Symbols>(*snapshot, files);
  return make_report(std::move(snapshot), std::move(symbols), std::move(findings), program);
}

void tell_last_held(Report* report, const std::string& earlier) {
  if (!report->snapshot || report->findings.lost.empty()) return;
  try {
    const Snapshot then = read_snapshot(earlier);
    const Types types = find_types(then);
    tell_last_held(*report->snapshot, {{&then, &types}}, &report->findings);
  } catch (const Failure&) {
    // What is lost is told without it.
  }
}

Report make_report(std::unique_ptr<const Snapshot> snapshot, std::unique_ptr<Symbols> symbols,
                   Findings findings, const std::vector<std::string>& program) {
  Report report;
  report.program = snapshot->command.empty() ? program : snapshot->command;
  report.pid = snapshot->header.pid;
  report.incomplete_because = snapshot->incomplete_because;
  report.findings = std::move(findings);
  report.snapshot = std::move(snapshot);
  report.symbols = std::move(symbols);
  return report;
}

uint64_t object_cycles(const Findings& findings) {
  uint64_t cycles = 0;
  for (const Finding& finding : findings.lost)
    if (finding.shape == Shape::kCycle && finding.cycle_length > 0) cycles += finding.structures;
  return cycles;
}

uint64_t new_structures(const Report& report) {
  uint64_t structures = 0;
  for (size_t i = 0; i < report.findings.lost.size(); ++i)
    if (report.known.empty() || !report.known[i]) structures += report.findings.lost[i].structures;
  return structures;
}

const std::vector<Frame>& stack_of(const Report& report, uint32_t stack) {
  static const std::vector<Frame> kNone;
  return report.symbols ? report.symbols->stack(stack) : kNone;
}

std::vector<OtherWay> other_ways(const Report& report, const Finding& finding, size_t most) {
  std::vector<OtherWay> ways;
  std::set<std::string> told;
  constexpr size_t kMostLookedAt = 4000;
  // A copy: those asked for long ago are forgotten.
  const std::vector<Frame> first = stack_of(report, finding.stack());
  const auto same = std::find_if(finding.shares.begin(), finding.shares.end(),
                                 [&](const Share& s) { return s.stack == finding.stack(); });
  const uint32_t site = same == finding.shares.end() ? 0 : same->site;
  size_t looked_at = 0;
  for (const Share& share : finding.shares) {
    if (!share.root || share.stack == finding.stack() || share.site != site) continue;
    if (ways.size() >= most || ++looked_at > kMostLookedAt) break;
    const std::vector<Frame>& stack = stack_of(report, share.stack);
    size_t i = 0;
    while (i < stack.size() && i < first.size() && frame_words(stack[i]) == frame_words(first[i]))
      ++i;
    if (i < stack.size() && told.insert(frame_words(stack[i])).second)
      ways.push_back({&share, stack[i]});
  }
  return ways;
}

std::string variety(const Finding& finding) {
  constexpr size_t kMostParts = 6;
  const std::vector<VaryingPart>& parts = finding.varying;
  std::string text;
  for (size_t i = 0; i < parts.size() && i < kMostParts; ++i) {
    const std::string number = grouped(parts[i].structures);
    text += i > 0 ? ", " + number : number + (parts[i].structures == 1 ? " has" : " have");
    text += " " + parts[i].label;
  }
  if (parts.size() > kMostParts) text += ", and so on";
  return text.empty() ? "" : "not all alike: " + text;
}

std::string title_of(const Finding& finding) {
  if (!finding.title.empty()) return finding.title;
  const std::string size =
      finding.members.empty() ? "" : " of " + counted(finding.members[0].size, "byte");
  switch (finding.shape) {
    case Shape::kBlock:
      return "block" + size;
    case Shape::kTree:
      return "tree below a block" + size;
    case Shape::kCycle:
      return "cycle of " + counted(finding.most_root, "block");
  }
  return "";
}

const char* name_of(Certainty certainty) {
  switch (certainty) {
    case Certainty::kNothing:
      return "certain";
    case Certainty::kInteriorOnly:
      return "interior";
    case Certainty::kDeadFrame:
      return "dead frame";
  }
  return "";
}

}  // namespace heaprake::cli
