#include "cli/report/formats.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

constexpr size_t kMostFindings = 20;
// Of a name: wider boxes cannot be read, and Graphviz refuses texts of 16,384 characters.
constexpr size_t kWidth = 200;

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string node(const Finding& finding, size_t member) {
  return "f" + std::to_string(finding.id) + "m" + std::to_string(member);
}

std::string member_label(const Member& member) {
  const std::string label = shortened(member.type.empty() ? "block" : member.type, kWidth);
  if (member.folded_blocks > 1)
    return label + ", " + counted(member.folded_blocks, "block") + ", " +
           counted(member.folded_bytes, "byte");
  return label + ", " + counted(member.size, "byte");
}

// "and 7 blocks, 1,000 references more", "" if none is left out
std::string omitted_words(const Finding& finding) {
  std::string words;
  if (finding.members_omitted > 0) words = counted(finding.members_omitted, "block");
  if (finding.edges_omitted > 0)
    words += (words.empty() ? "" : ", ") + counted(finding.edges_omitted, "reference");
  return words.empty() ? words : "and " + words + " more";
}

void add_finding(const Finding& finding, std::string* text) {
  *text += "  subgraph " + in_quotes("cluster" + std::to_string(finding.id)) + " {\n    label=" +
           in_quotes(std::to_string(finding.id) + ": " + shortened(title_of(finding), kWidth) +
                     ", lost " + grouped(finding.structures) + " times, " +
                     counted(finding.bytes, "byte")) +
           ";\n";
  for (size_t i = 0; i < finding.members.size(); ++i)
    *text += "    " + node(finding, i) + " [label=" + in_quotes(member_label(finding.members[i])) +
             ", tooltip=" + in_quotes(hexadecimal(finding.members[i].address)) + "];\n";
  for (size_t i = 0; i < finding.edges.size(); ++i) {
    const FindingEdge& edge = finding.edges[i];
    const std::string label =
        shortened(edge.field.empty() ? "+" + grouped(edge.offset) : edge.field, kWidth);
    *text += "    " + node(finding, edge.from) + " -> " + node(finding, edge.to) +
             " [label=" + in_quotes(label);
    if (static_cast<int64_t>(i) == finding.closing_edge)
      *text += ", color=red, fontcolor=red, penwidth=2, constraint=false";
    *text += "];\n";
  }
  const std::string omitted = omitted_words(finding);
  if (!omitted.empty())
    *text += "    " + node(finding, finding.members.size()) +
             " [shape=plaintext, label=" + in_quotes(omitted) + "];\n";
  *text += "  }\n";
}

}  // namespace

std::string dot_graph(const Report& report) {
  const std::vector<Finding>& lost = report.findings.lost;
  std::string text =
      "digraph lost {\n  rankdir=LR;\n  node [shape=box, fontname=sans];\n"
      "  edge [fontname=sans, fontsize=10];\n";
  for (size_t i = 0; i < lost.size() && i < kMostFindings; ++i) add_finding(lost[i], &text);
  if (lost.size() > kMostFindings)
    text +=
        "  label=" + in_quotes("and " + counted(lost.size() - kMostFindings, "finding") + " more") +
        ";\n";
  return text + "}\n";
}

}  // namespace heaprake::cli
