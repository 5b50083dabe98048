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
