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
