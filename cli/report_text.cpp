#include <unistd.h>

#include <algorithm>
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

// Sizes of the example's members: of its cycle or root, or of the others.
std::vector<uint64_t> sizes_of(const Finding& finding, bool root) {
  std::vector<uint64_t> sizes;
  for (size_t i = 0; i < finding.members.size(); ++i)
    if ((i < finding.most_root) == root) sizes.push_back(finding.members[i].size);
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

// "512 cycles of 2 blocks"
std::string headline(const Finding& finding) {
  const bool rest = finding.most_blocks > finding.most_root;
  switch (finding.shape) {
    case Shape::kBlock:
      return counted(finding.structures, "single block") + " of " +
             sizes_in_words(sizes_of(finding, true));
    case Shape::kTree:
      return counted(finding.structures, "tree") + " of " +
             blocks(finding.fewest_blocks, finding.most_blocks);
    case Shape::kCycle:
      return counted(finding.structures, "cycle") + " of " +
             blocks(finding.fewest_root, finding.most_root) + (rest ? " that hold more" : "");
  }
  return "";
}

// What one of them looks like: sizes, and for a cycle the word that closes it.
std::string looks(const Finding& finding) {
  if (finding.shape == Shape::kBlock) return "";
  const std::vector<uint64_t> roots = sizes_of(finding, true), others = sizes_of(finding, false);
  if (finding.shape == Shape::kTree)
    return "root of " + sizes_in_words(roots) + ", below it " + sizes_in_words(others);
  std::string text = "each block of " + sizes_in_words(roots);
  if (roots.size() > 1) text = "blocks of " + sizes_in_words(roots);
  if (roots.size() == 1 && finding.most_root == 1)
    text = sizes_in_words(roots) + " that refer to themselves";
  if (finding.closing_edge >= 0)
    text += ", closed by the word at offset " +
            grouped(finding.edges[static_cast<size_t>(finding.closing_edge)].offset);
  return text;
}

std::string finding_lines(const Finding& finding, bool colours) {
  std::string line = "  ";
  if (colours) line += finding.shape == Shape::kCycle ? "\x1b[31m" : "\x1b[33m";
  const std::string head = headline(finding) + ", " + counted(finding.bytes, "byte");
  line += head;
  if (colours) line += "\x1b[0m";
  const std::string more = looks(finding);
  if (!more.empty()) {
    const bool fits = 2 + head.size() + 2 + more.size() <= kReportWidth;
    line += (fits ? ": " : ":\n      ") + (fits ? more : wrapped(more, 6, 6));
  }
  return line + "\n";
}

std::string summary(const Report& report) {
  const Findings& all = report.findings;
  const std::string name = report.program.empty()
                               ? "the program"
                               : shortened(printable(report.program[0]), kReportWidth / 2);
  if (all.blocks == 0) return name + " has lost no memory";
  std::string text = name + " has lost " + counted(all.blocks, "block") + " (" +
                     counted(all.bytes, "byte") + ") in " + counted(all.structures, "structure");
  if (all.cycles == 0)
    text += ", none of them a cycle";
  else if (all.cycles == all.structures)
    text += all.cycles == 1 ? ", which is a cycle" : ", all of them cycles";
  else
    text += ", of which " + grouped(all.cycles) + (all.cycles == 1 ? " is a cycle" : " are cycles");
  return text;
}

constexpr std::string_view kPrefix = "heaprake: ";

std::string findings_text(const Report& report, bool colours) {
  const std::string prefix(kPrefix);
  const Findings& all = report.findings;
  std::string text = prefix + wrapped(summary(report), 2, prefix.size()) + "\n";
  uint64_t blocks_left = all.blocks;
  uint64_t bytes_left = all.bytes;
  for (size_t i = 0; i < all.lost.size() && i < kMostFindings; ++i) {
    text += finding_lines(all.lost[i], colours);
    blocks_left -= all.lost[i].blocks;
    bytes_left -= all.lost[i].bytes;
  }
  if (all.lost.size() > kMostFindings)
    text += "  and " + counted(all.lost.size() - kMostFindings, "finding") +
            " more: " + counted(blocks_left, "block") + ", " + counted(bytes_left, "byte") + "\n";
  text += prefix + "still reachable: " + counted(report.snapshot.totals.reachable_blocks, "block") +
          " (" + counted(report.snapshot.totals.reachable_bytes, "byte") + ")\n";
  return text;
}

}  // namespace

Report make_report(Snapshot snapshot, const std::vector<std::string>& program) {
  Report report;
  report.snapshot = std::move(snapshot);
  report.program = report.snapshot.command.empty() ? program : report.snapshot.command;
  report.pid = report.snapshot.header.pid;
  report.incomplete_because = report.snapshot.incomplete_because;
  report.findings = analyse(report.snapshot, find_types(report.snapshot));
  return report;
}

void suggest_next(Report* report, const std::string& json_command, const std::string& rest) {
  if (!report->examined) {
    report->next_why = "see the collections while it runs, which need no orderly end";
    report->next = "heaprake run --verbose -- " + shell_command(report->program);
  } else if (report->findings.blocks > 0 && !json_command.empty()) {
    std::string file = "leaks.json";
    for (int i = 2; access(file.c_str(), F_OK) == 0 && i < 1000; ++i)
      file = "leaks-" + std::to_string(i) + ".json";
    report->next_why = "list each finding with its members and references";
    report->next = json_command + " --json " + file + rest;
  } else if (!report->program.empty()) {
    report->next_why = report->findings.blocks > 0
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
