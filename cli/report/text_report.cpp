#include "cli/report/text_report.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cli/report/duration.h"
#include "cli/report/finding_text.h"
#include "cli/report/page.h"

namespace heaprake::cli {

namespace {

std::string program_name(const Report& report) {
  return report.program.empty() ? "the program"
                                : shortened(printable(report.program[0]), kReportWidth / 2);
}

std::string summary(const Report& report) {
  const Findings& findings = report.findings;
  const std::string also = report.suppressed_blocks > 0 ? " else" : "";
  if (findings.blocks == 0) return program_name(report) + " has lost no memory" + also;
  std::string text = program_name(report) + " has lost " + counted(findings.blocks, "block") +
                     " (" + counted(findings.bytes, "byte") + ") in " +
                     counted(findings.structures, "structure");
  const uint64_t cycles = object_cycles(findings);
  if (findings.structures == 1)
    text += cycles == 0 ? ", which is no cycle" : ", which is a cycle";
  else if (cycles == 0)
    text += ", none of them a cycle";
  else if (cycles == findings.structures)
    text += ", all of them cycles";
  else
    text += ", of which " + grouped(cycles) + (cycles == 1 ? " is a cycle" : " are cycles");
  return text;
}

// In full, in a line, or not at all: in this order, worst first, known ones never in full.
void tell_findings(Page& page, const Report& report, const TextStyle& style) {
  const std::vector<Finding>& lost = report.findings.lost;
  uint64_t blocks = report.findings.blocks, bytes = report.findings.bytes;
  uint64_t full = 0, brief = 0, shortened = 0;
  for (size_t i = 0; i < lost.size(); ++i) {
    const bool known = !report.known.empty() && report.known[i];
    if (!known && full < style.detailed) {
      page.blank();
      tell_finding(page, lost[i], report);
      ++full;
    } else if (brief < style.detailed) {
      if (brief++ == 0) page.blank();
      tell_briefly(page, report, lost[i], known ? " (" + report.known_since + ")" : "");
      shortened += known ? 0 : 1;
    } else {
      continue;
    }
    blocks -= lost[i].blocks;
    bytes -= lost[i].bytes;
  }
  if (full + brief < lost.size())
    page.line(2, "and " + counted(lost.size() - full - brief, "finding") +
                     " more: " + counted(blocks, "block") + ", " + counted(bytes, "byte"));
  if (shortened > 0 || full + brief < lost.size())
    page.line(2, "(--top=0 tells all of them in full, --top=N as many)", Ink::kDim);
  if (!lost.empty()) page.blank();
}

void tell_near_leaks(Page& page, const Report& report, const TextStyle& style) {
  const std::vector<Finding>& near = report.findings.near_leaks;
  if (near.empty()) return;
  uint64_t blocks = 0, bytes = 0;
  for (const Finding& finding : near) {
    blocks += finding.blocks;
    bytes += finding.bytes;
  }
  page.sentence("not counted, perhaps lost: " + counted(blocks, "block") + " (" +
                counted(bytes, "byte") + ") that only a doubtful reference still holds");
  size_t told = 0;
  for (const Finding& finding : near) {
    if (told == style.detailed) break;
    tell_near_leak(page, report, finding);
    ++told;
  }
  if (told < near.size())
    page.line(2, "and " + counted(near.size() - told, "finding") + " more of them");
}

void tell_suppressions(Page& page, const Report& report) {
  if (report.suppressions.empty() || !report.lsan.print_suppressions) return;
  size_t used = 0, findings = 0;
  for (const SuppressionUse& use : report.suppressions) {
    used += use.findings > 0 ? 1 : 0;
    findings += use.findings;
  }
  page.sentence("suppressed: " + counted(report.suppressed_blocks, "block") + " (" +
                counted(report.suppressed_bytes, "byte") + ") in " + counted(findings, "finding") +
                ", by " + grouped(used) + " of " + counted(report.suppressions.size(), "rule"));
  for (const SuppressionUse& use : report.suppressions)
    if (use.findings == 0)
      page.line(2, "unused: " + printable(use.rule), Ink::kDim, "in " + printable(use.file),
                Ink::kDim);
}

void tell_known(Page& page, const Report& report) {
  if (report.known.empty()) return;
  const auto known =
      static_cast<uint64_t>(std::count(report.known.begin(), report.known.end(), true));
  page.sentence(counted(report.known.size(), "finding") + ": " + grouped(known) + " " +
                report.known_since + ", " + grouped(report.known.size() - known) + " new");
}

void tell_totals(Page& page, const Report& report) {
  const heaprake_snapshot_end& totals = report.snapshot->totals;
  page.sentence("still reachable: " + counted(totals.reachable_blocks, "block") + " (" +
                counted(totals.reachable_bytes, "byte") + ")");
  for (const std::string& note : report.notes) page.sentence(printable(note));
  for (const std::string& note : report.symbols->notes()) page.sentence(printable(note));
}

}  // namespace

std::string report_text(const Report& report, const TextStyle& style) {
  Page page(style.colours);
  for (const std::string& why : report.incomplete_because)
    page.sentence("incomplete: " + printable(why), Ink::kYellow);
  if (report.examined) {
    page.sentence(summary(report), report.findings.blocks > 0 ? Ink::kBold : Ink::kGreen);
    tell_findings(page, report, style);
    tell_known(page, report);
    tell_near_leaks(page, report, style);
    tell_suppressions(page, report);
    tell_totals(page, report);
  }
  for (const NextCommand& next : report.next) {
    page.sentence("next, to " + next.why + ":");
    page.verbatim("  " + next.command);
  }
  return page.text();
}

bool wants_colours(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  return isatty(fd) && !(no_colour && *no_colour);
}

}  // namespace heaprake::cli
