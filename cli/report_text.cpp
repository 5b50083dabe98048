#include <unistd.h>

#include <cstdlib>

#include "cli/report.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

constexpr size_t kMostFindings = 20;
constexpr size_t kMostSizes = 4;

std::string between(uint32_t fewest, uint32_t most) {
  return fewest == most ? grouped(fewest) : grouped(fewest) + " to " + grouped(most);
}

std::string blocks(uint32_t fewest, uint32_t most) {
  return between(fewest, most) + (most == 1 ? " block" : " blocks");
}

// "40 bytes", "16 and 40 bytes", "16, 24, 32, 40 ... 4,096 bytes"
std::string sizes_in_words(const std::vector<uint64_t>& sizes) {
  if (sizes.size() == 1) return counted(sizes[0], "byte");
  std::string words;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const bool last = i + 1 == sizes.size();
    if (sizes.size() > kMostSizes + 1 && i >= kMostSizes && !last) continue;
    if (i > 0) words += !last ? ", " : sizes.size() > kMostSizes + 1 ? " ... " : " and ";
    words += grouped(sizes[i]);
  }
  return words + " bytes";
}

// "512 cycles of 2 blocks"
std::string headline(const Finding& finding) {
  const bool rest = finding.most_rest > 0;
  switch (finding.shape) {
    case Shape::kBlock:
      return counted(finding.structures, "single block") + " of " +
             sizes_in_words(finding.root_sizes);
    case Shape::kTree:
      return counted(finding.structures, "tree") + " of " +
             blocks(finding.fewest_root + finding.fewest_rest,
                    finding.most_root + finding.most_rest);
    case Shape::kCycle:
      return counted(finding.structures, "cycle") + " of " +
             blocks(finding.fewest_root, finding.most_root) +
             (rest ? " that hold " + between(finding.fewest_rest, finding.most_rest) + " more"
                   : "");
  }
  return "";
}

// What one of them looks like: sizes, and for a cycle the word that closes it.
std::string looks(const Report& report, const Finding& finding) {
  if (finding.shape == Shape::kBlock) return "";
  if (finding.shape == Shape::kTree)
    return "root of " + sizes_in_words(finding.root_sizes) + ", below it " +
           sizes_in_words(finding.rest_sizes);
  const Structure& example = report.analysis.structures[finding.example];
  const Detail detail = describe(report.snapshot, report.analysis, example, 1000);
  std::string text = "each block of " + sizes_in_words(finding.root_sizes);
  if (finding.root_sizes.size() > 1) text = "blocks of " + sizes_in_words(finding.root_sizes);
  if (finding.root_sizes.size() == 1 && finding.most_root == 1)
    text = sizes_in_words(finding.root_sizes) + " that refer to themselves";
  if (detail.closing_edge >= 0) {
    const Detail::Edge& edge = detail.edges[static_cast<size_t>(detail.closing_edge)];
    text += ", closed by the word at offset " + grouped(edge.offset);
  }
  return text;
}

std::string finding_lines(const Report& report, const Finding& finding, bool colours) {
  std::string line = "  ";
  if (colours) line += finding.shape == Shape::kCycle ? "\x1b[31m" : "\x1b[33m";
  const std::string head = headline(finding) + ", " + counted(finding.bytes, "byte");
  line += head;
  if (colours) line += "\x1b[0m";
  const std::string more = looks(report, finding);
  if (!more.empty()) {
    const bool fits = 2 + head.size() + 2 + more.size() <= kReportWidth;
    line += (fits ? ": " : ":\n      ") + (fits ? more : wrapped(more, 6, 6));
  }
  return line + "\n";
}

std::string summary(const Report& report) {
  const Analysis& analysis = report.analysis;
  const std::string name = report.program.empty()
                               ? "the program"
                               : shortened(printable(report.program[0]), kReportWidth / 2);
  if (analysis.blocks == 0) return name + " has lost no memory";
  std::string text = name + " has lost " + counted(analysis.blocks, "block") + " (" +
                     counted(analysis.bytes, "byte") + ") in " +
                     counted(analysis.structures.size(), "structure");
  if (analysis.cycles == 0)
    text += ", none of them a cycle";
  else if (analysis.cycles == analysis.structures.size())
    text += analysis.cycles == 1 ? ", which is a cycle" : ", all of them cycles";
  else
    text += ", of which " + grouped(analysis.cycles) +
            (analysis.cycles == 1 ? " is a cycle" : " are cycles");
  return text;
}

constexpr std::string_view kPrefix = "heaprake: ";

std::string findings_text(const Report& report, bool colours) {
  const std::string prefix(kPrefix);
  const Analysis& analysis = report.analysis;
  std::string text = prefix + wrapped(summary(report), 2, prefix.size()) + "\n";
  uint64_t blocks_left = analysis.blocks;
  uint64_t bytes_left = analysis.bytes;
  for (size_t i = 0; i < analysis.findings.size() && i < kMostFindings; ++i) {
    text += finding_lines(report, analysis.findings[i], colours);
    blocks_left -= analysis.findings[i].blocks;
    bytes_left -= analysis.findings[i].bytes;
  }
  if (analysis.findings.size() > kMostFindings)
    text += "  and " + counted(analysis.findings.size() - kMostFindings, "finding") +
            " more: " + counted(blocks_left, "block") + ", " + counted(bytes_left, "byte") + "\n";
  text += prefix + "still reachable: " + counted(report.snapshot.header.reachable_blocks, "block") +
          " (" + counted(report.snapshot.header.reachable_bytes, "byte") + ")\n";
  return text;
}

}  // namespace

Report make_report(Snapshot snapshot, const std::vector<std::string>& program) {
  Report report;
  report.snapshot = std::move(snapshot);
  report.program = report.snapshot.command.empty() ? program : report.snapshot.command;
  report.pid = report.snapshot.header.pid;
  if (report.snapshot.header.complete == 0)
    report.incomplete_because.push_back(
        "some memory of the program could not be scanned, so that blocks which it still uses may "
        "be listed");
  report.analysis = analyse(report.snapshot);
  return report;
}

void suggest_next(Report* report, const std::string& json_command, const std::string& rest) {
  if (!report->examined) {
    report->next_why = "see the collections while it runs, which need no orderly end";
    report->next = "heaprake run --verbose -- " + shell_command(report->program);
  } else if (report->analysis.blocks > 0 && !json_command.empty()) {
    std::string file = "leaks.json";
    for (int i = 2; access(file.c_str(), F_OK) == 0 && i < 1000; ++i)
      file = "leaks-" + std::to_string(i) + ".json";
    report->next_why = "list each finding with its members and references";
    report->next = json_command + " --json " + file + rest;
  } else if (!report->program.empty()) {
    report->next_why = report->analysis.blocks > 0
                           ? "have what it loses reclaimed while it runs, and see how much that is"
                           : "run it under the collector and see its figures";
    report->next = "heaprake run --stats -- " + shell_command(report->program);
  }
}

std::string report_text(const Report& report, bool colours) {
  const std::string prefix(kPrefix);
  std::string text;
  for (const std::string& why : report.incomplete_because)
    text.append(prefix).append(wrapped("incomplete: " + why, 2, prefix.size())).append("\n");
  if (report.examined) text += findings_text(report, colours);
  if (!report.next.empty())
    text += prefix + "next, to " + report.next_why + ":\n  " + report.next + "\n";
  return text;
}
bool wants_colours(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  return isatty(fd) && !(no_colour && *no_colour);
}

}  // namespace heaprake::cli
