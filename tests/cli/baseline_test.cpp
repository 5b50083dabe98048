#include "cli/report/baseline.h"

#include <gtest/gtest.h>

#include "cli/failure.h"
#include "finding_fixture.h"
#include "temporary_files.h"

namespace heaprake::cli::test {
namespace {

TEST(Baseline, KnowsWhatAFormerReportHad) {
  Files files;
  Report former = family_report();
  former.findings.lost.pop_back();
  const std::string path = files.write("former.json", report_json(former));
  Report report = family_report();
  compare(&report, read_baseline(path));
  EXPECT_EQ(report.known, (std::vector<bool>{true, false}));
  EXPECT_EQ(new_structures(report), 1u);
  EXPECT_NE(report_json(report).find("\"new_structures\": 1"), std::string::npos);
}

// `times` findings that nothing tells apart.
Report same_findings(size_t times) {
  Report report = family_report();
  report.findings.lost.assign(times, report.findings.lost[1]);
  return report;
}

// In the same function as before.
void move_to_another_line(Finding* finding) {
  finding->members.back().stack = 3;
}

TEST(Baseline, OfFindingsThatLookTheSameAsManyAreKnownAsItHas) {
  Files files;
  const Baseline baseline = read_baseline(files.write("two.json", report_json(same_findings(2))));
  for (size_t times : {1, 2, 3}) {
    Report report = same_findings(times);
    compare(&report, baseline);
    EXPECT_EQ(new_structures(report), times > 2 ? 1u : 0u) << times;
  }
}

TEST(Baseline, OfOtherProcessesAddsNone) {
  Files files;
  const std::string child = report_json(same_findings(1));
  const std::string former = report_json(same_findings(1), {{}, {}, {child, child}});
  Report report = same_findings(2);
  compare(&report, read_baseline(files.write("three.json", former)));
  EXPECT_EQ(new_structures(report), 1u);
}

// The places differ, the names do not.
TEST(Baseline, OfOtherProcessesOtherPlacesAddNone) {
  Files files;
  Report child = same_findings(1);
  move_to_another_line(&child.findings.lost[0]);
  const std::string former = report_json(same_findings(1), {{}, {}, {report_json(child)}});
  const Baseline baseline = read_baseline(files.write("two.json", former));
  Report report = same_findings(2);
  move_to_another_line(&report.findings.lost[1]);
  compare(&report, baseline);
  EXPECT_EQ(new_structures(report), 1u);
  compare(&child, baseline);
  EXPECT_EQ(new_structures(child), 0u);
}

// Its part has the lower address, and stands first.
TEST(Baseline, KnowsAnObjectByItsOwnPlaceWhereAPartStandsBeforeIt) {
  Files files;
  Report former = same_findings(1);
  Finding& finding = former.findings.lost[0];
  finding.members.insert(finding.members.begin(), finding.members[0]);
  finding.members[0].part_of = 1;
  finding.members[0].stack = 1;
  const Baseline baseline = read_baseline(files.write("former.json", report_json(former)));
  Report report = same_findings(2);
  report.findings.lost[0] = former.findings.lost[0];
  move_to_another_line(&report.findings.lost[0]);
  report.findings.lost[1] = former.findings.lost[0];
  compare(&report, baseline);
  EXPECT_EQ(report.known, (std::vector<bool>{false, true}));
}

TEST(Baseline, DoesNotCountHowOftenALeakIsLost) {
  Files files;
  Report report = same_findings(1);
  const std::string former = files.write("once.json", report_json(report));
  report.findings.lost[0].structures = 900;
  compare(&report, read_baseline(former));
  EXPECT_EQ(new_structures(report), 0u);
}

TEST(Baseline, WithoutOneEverythingIsNew) {
  EXPECT_EQ(new_structures(family_report()), 4u);
}

TEST(Baseline, WhatIsNoReportIsRefused) {
  Files files;
  // What it leaves out would look new.
  EXPECT_THROW(read_baseline(files.write("cut.json", report_json(family_report(), {}, {1, 9}))),
               Failure);
  for (const char* text : {"", "rubbish", "[]", "{}", "{\"schema\": \"heaprake-report/1\"}",
                           "{\"schema\": \"heaprake-report/1\", \"findings\": [{}]}"}) {
    EXPECT_THROW(read_baseline(files.write("bad.json", text)), Failure) << text;
  }
  EXPECT_THROW(read_baseline(files.path("missing")), Failure);
  EXPECT_THROW(read_baseline(files.path(".")), Failure);
}

}  // namespace
}  // namespace heaprake::cli::test
