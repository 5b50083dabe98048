// What a person sees: whole, within a hundred columns, and with sums that are right.
#include "cli/report/text_report.h"

#include <gtest/gtest.h>

#include "cli/report/suppressions.h"
#include "cli/text.h"
#include "finding_fixture.h"

namespace heaprake::cli::test {
namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Columns without the colours' escapes; a character of UTF-8 is one.
void expect_fits(const std::string& text) {
  size_t column = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b')
      i = text.find('m', i);
    else if (text[i] == '\n')
      column = 0;
    else
      EXPECT_LE(++column, kReportWidth) << text;
  }
}

TEST(TextReport, TellsTheWholeCycle) {
  const std::string text = report_text(family_report(), {});
  std::string words;  // on one line
  for (char c : text) {
    const bool space = c == ' ' || c == '\n';
    if (!space || (!words.empty() && words.back() != ' ')) words += space ? ' ' : c;
  }
  for (const char* part :
       {"./prog has lost 10 blocks (457 bytes) in 4 structures, of which 3 are cycles",
        "1 cycle of 2: Parent <-> Child",
        "lost 3 times: 9 blocks, 450 bytes; each is 3 blocks; releasing one frees 150 bytes",
        "Make Child::parent_ a std::weak_ptr.", "#0 Parent 40 bytes at 0x5a3c00001000",
        "count 1, found 1, all from inside the cycle",
        "#2 characters of the string at offset 8 of Parent 50 bytes",
        "#0 Parent.child_ (offset 16) -> #1 Child",
        "#1 Child.parent_ (offset 24) -> #0 Parent + 16 <- closes the cycle",
        "#0 Parent was allocated in", "(1 frame of the C++ library)",
        "family::make(Capture*) names_sample.cpp:", "hidden(Capture*)",
        "first allocated 1 min 2 s ago, last 1 min 0 s ago, 1.0 s after the start, by thread 4712 "
        "(worker)",
        "last held 5.0 s after the start, by global cache_ in libfoo.so -> Parent",
        "2 block of 7 bytes", "lost once: 1 block, 7 bytes", "not counted, perhaps lost: 1 block",
        "still reachable: 5 blocks (500 bytes)"})
    EXPECT_TRUE(contains(words, part)) << part << "\n" << text;
  expect_fits(text);
  EXPECT_FALSE(contains(text, "\x1b"));
}

TEST(TextReport, ColoursChangeNothingElse) {
  const std::string coloured = report_text(family_report(), {.colours = true});
  EXPECT_TRUE(contains(coloured, "\x1b[31m"));
  expect_fits(coloured);
  std::string plain;
  for (size_t i = 0; i < coloured.size(); ++i) {
    if (coloured[i] == '\x1b')
      i = coloured.find('m', i);
    else
      plain += coloured[i];
  }
  EXPECT_EQ(plain, report_text(family_report(), {}));
}

TEST(TextReport, FitsWhateverTheNames) {
  Report report = family_report();
  report.program = {std::string(300, 'p')};
  report.incomplete_because = {std::string(250, 'x') + " and \x1b[2J words"};
  Finding& finding = report.findings.lost[0];
  finding.title = "std::map<" + std::string(400, 'T') + ">";
  finding.members[0].type = std::string(300, 'M');
  finding.members[1].role = std::string(300, 'r');
  finding.edges[2].field = std::string(300, 'f');
  finding.last_held->path = std::string(500, 'h');
  const std::string text = report_text(report, {});
  expect_fits(text);
  EXPECT_FALSE(contains(text, "\x1b"));
  EXPECT_TRUE(contains(text, "<- closes the cycle"));  // never cut away
}

TEST(TextReport, OfOneThingThatHoldsNothingButItself) {
  Report report = family_report();
  Findings& findings = report.findings;
  findings.lost.erase(findings.lost.begin());
  findings.structures = 1;
  findings.cycles = 0;
  Member& member = findings.lost[0].members[0];
  member.references = member.references_inside = 1;
  const std::string text = report_text(report, {});
  EXPECT_TRUE(contains(text, " in 1 structure, which is no cycle")) << text;
  EXPECT_TRUE(contains(text, "nothing but itself and its parts refers to it")) << text;
}

TEST(TextReport, CutsALongNameWhereverItStands) {
  Report report = family_report();
  Finding& finding = report.findings.lost[0];
  const std::string name(20'000, 'M');
  finding.members[0].type = name;
  finding.title = "cycle of 2: " + name + " <-> Child";
  finding.advice = "make child_ of " + name + " a std::weak_ptr";
  finding.members[1].role = "elements of " + name + ", at the end";
  for (FindingEdge& edge : finding.edges) edge.field.clear();
  const std::string text = report_text(report, {});
  expect_fits(text);
  EXPECT_LT(text.size(), 8'000u);
  EXPECT_TRUE(contains(text, "... <-> Child")) << text;
  EXPECT_TRUE(contains(text, "... a\n     std::weak_ptr")) << text;
  EXPECT_TRUE(contains(text, "..., at the end")) << text;
  const FindingEdge& edge = finding.edges[0];
  EXPECT_TRUE(contains(
      text, "... at offset " + std::to_string(edge.offset) + " -> #" + std::to_string(edge.to)))
      << text;
  EXPECT_TRUE(contains(report_json(report), name.substr(0, 900)));
}

TEST(TextReport, SaysWhatItLeavesOut) {
  Report report = family_report();
  const Finding finding = report.findings.lost[1];
  for (int i = 0; i < 48; ++i) report.findings.lost.push_back(finding);
  report.findings.blocks += 48;
  report.findings.bytes += 48 * 7;
  const std::string text = report_text(report, {});
  EXPECT_TRUE(contains(text, "and 30 findings more: 30 blocks, 210 bytes")) << text;
  EXPECT_TRUE(contains(text, "--top=0 tells all of them in full"));
  EXPECT_FALSE(contains(report_text(report, {.detailed = UINT64_MAX / 2}), "findings more"));
}

TEST(TextReport, CountsReferencesOnlyWhereItHasThemAll) {
  Report report = family_report();
  Finding& finding = report.findings.lost[0];
  const FindingEdge edge = finding.edges[0];
  for (int i = 0; i < 200; ++i) finding.edges.push_back(edge);
  for (FindingEdge& each : finding.edges) each.field.clear();
  EXPECT_TRUE(contains(report_text(report, {}), "\n     and 1")) << report_text(report, {});
  EXPECT_FALSE(contains(report_text(report, {}), "at least"));
  finding.members_omitted = 1000;
  EXPECT_TRUE(contains(report_text(report, {}), "and at least 1")) << report_text(report, {});
}

TEST(TextReport, LooksAtEachReferenceOnce) {
  // Were each compared with those before it, this would take hours.
  Report report = family_report();
  Finding& finding = report.findings.lost[0];
  FindingEdge edge = finding.edges[0];
  edge.field.clear();
  finding.edges.resize(3'000'000, edge);
  finding.edges_omitted = 7;
  EXPECT_TRUE(contains(report_text(report, {}), " references more")) << report_text(report, {});
}

TEST(TextReport, OfACleanProgram) {
  const std::string text = report_text(clean_report(), {});
  EXPECT_EQ(text,
            "heaprake: ./prog has lost no memory\n"
            "heaprake: still reachable: 5 blocks (500 bytes)\n");
}

TEST(TextReport, ListsUnusedSuppressions) {
  Report report = family_report();
  suppress(&report, parse_suppressions("leak:hidden\nleak:nobody\n", "supp.txt"));
  const std::string text = report_text(report, {});
  EXPECT_TRUE(contains(text, "has lost 1 block (7 bytes)")) << text;
  EXPECT_TRUE(contains(text, "suppressed: 9 blocks (450 bytes) in 1 finding, by 1 of 2 rules"))
      << text;
  EXPECT_TRUE(contains(text, "unused: leak:nobody  in supp.txt"));
}

TEST(TextReport, EndsWithTheNextCommands) {
  Report report = family_report();
  report.next = {{"see it", "heaprake one"}, {"try it", "heaprake two"}};
  const std::string text = report_text(report, {});
  EXPECT_TRUE(text.ends_with(
      "heaprake: next, to see it:\n  heaprake one\nheaprake: next, to try it:\n  heaprake two\n"));
}

}  // namespace
}  // namespace heaprake::cli::test
