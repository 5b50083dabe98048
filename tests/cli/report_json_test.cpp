// The schema heaprake-report/1, field by field.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/report/report.h"
#include "cli/text.h"
#include "finding_fixture.h"

namespace heaprake::cli::test {
namespace {

using nlohmann::json;

TEST(ReportJson, FollowsTheSchema) {
  const json report = json::parse(report_json(family_report()));
  EXPECT_EQ(report["schema"], "heaprake-report/1");
  EXPECT_EQ(report["program"], (json{"./prog", "a\"b", "\ufffd", "\n"}));
  EXPECT_EQ(report["pid"], 4711);
  EXPECT_EQ(report["complete"], true);
  EXPECT_EQ(report["incomplete_because"], json::array());
  EXPECT_EQ(report["summary"], (json{{"leaked_blocks", 10},
                                     {"leaked_bytes", 457},
                                     {"structures", 4},
                                     {"cycles", 3},
                                     {"object_cycles", 3},
                                     {"findings", 2},
                                     {"uncertain_blocks", 1},
                                     {"reachable_blocks", 5},
                                     {"reachable_bytes", 500},
                                     {"suppressed_blocks", 0},
                                     {"suppressed_bytes", 0}}));
  ASSERT_EQ(report["findings"].size(), 2u);
  const json& finding = report["findings"][0];
  EXPECT_EQ(finding["id"], 1);
  EXPECT_EQ(finding["shape"], "cycle");
  EXPECT_EQ(finding["structures"], 3);
  EXPECT_EQ(finding["blocks"], 9);
  EXPECT_EQ(finding["bytes"], 450);
  EXPECT_EQ(finding["closing_edge"], 2);
  EXPECT_EQ(finding["edges"][2], (json{{"from", 1},
                                       {"to", 0},
                                       {"offset", 24},
                                       {"inner", 16},
                                       {"field", "parent_"},
                                       {"weak", false}}));
  EXPECT_EQ(finding["last_held"]["path"], "global cache_ in libfoo.so -> Parent");
  EXPECT_TRUE(report["findings"][1]["closing_edge"].is_null());
  EXPECT_EQ(report["near_leaks"][0]["certainty"], "interior");
  EXPECT_EQ(report["taken"], "2023-11-14T22:13:20Z");
}

TEST(ReportJson, LeavesOutWhatIsTooMuch) {
  const json report = json::parse(report_json(family_report(), {}, {1, 2}));
  EXPECT_EQ(report["summary"]["findings"], 2);
  ASSERT_EQ(report["findings"].size(), 1u);
  const json& finding = report["findings"][0];
  EXPECT_EQ(finding["members"].size(), 2u);
  EXPECT_EQ(finding["members_omitted"], 1);
  EXPECT_EQ(finding["edges_omitted"], 1);
  EXPECT_EQ(report["findings_omitted"], 1);
  EXPECT_EQ(json::parse(report_json(family_report()))["findings_omitted"], 0);
  // The first of three edges leads to the third member.
  ASSERT_EQ(finding["edges"].size(), 2u);
  EXPECT_EQ(finding["closing_edge"], 1);
  EXPECT_EQ(finding["edges"][1]["field"], "parent_");
}

TEST(ReportJson, SaysWhereItComesFrom) {
  const Report made = family_report();
  const json report = json::parse(report_json(made));
  EXPECT_EQ(report["host"], "web-3");
  EXPECT_EQ(report["heaprake"]["library"], "0.1.0-library");
  EXPECT_EQ(report["heaprake"]["command"], HEAPRAKE_VERSION);
  ASSERT_EQ(report["modules"].size(), made.snapshot->modules.size());
  EXPECT_EQ(report["modules"][0]["path"], SAMPLE_DEBUG);
  EXPECT_EQ(report["modules"][0]["build_id"], hex_digits(made.snapshot->modules[0].build_id));
  EXPECT_NE(report["modules"][0]["build_id"], "");
}

TEST(ReportJson, MembersHaveTypesCountsAndStacks) {
  const json report = json::parse(report_json(family_report()));
  const json& members = report["findings"][0]["members"];
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[0]["type"], "Parent");
  EXPECT_EQ(members[0]["size"], 40);
  EXPECT_EQ(members[0]["address"], "0x5a3c00001000");
  EXPECT_EQ(members[0]["refcount"], 1);
  EXPECT_EQ(members[0]["count"], 1);
  EXPECT_TRUE(members[1]["count"].is_null());
  EXPECT_TRUE(members[0]["part_of"].is_null());
  EXPECT_EQ(members[2]["part_of"], 0);
  EXPECT_EQ(members[0]["thread"], (json{{"tid", 4712}, {"name", "worker"}, {"alive", true}}));
  const json& stack = members[0]["stack"];
  ASSERT_EQ(stack.size(), 5u);
  EXPECT_EQ(stack[2]["function"], "family::make(Capture*)");
  EXPECT_EQ(stack[2]["module"], SAMPLE_DEBUG);
  EXPECT_GT(stack[2]["line"], 0);
  EXPECT_GT(stack[2]["offset"], 0);
  EXPECT_EQ(stack[1]["inlined"], true);
}

TEST(ReportJson, OfAProgramThatCouldNotBeExamined) {
  const json report = json::parse(report_json(empty_report({"prog"}, 12, "it was killed")));
  EXPECT_EQ(report["complete"], false);
  EXPECT_EQ(report["incomplete_because"], (json{"it was killed"}));
  EXPECT_EQ(report["pid"], 12);
  EXPECT_EQ(report["findings"], json::array());
  EXPECT_EQ(report["summary"]["leaked_blocks"], 0);
}

TEST(ReportJson, ShortensVeryLongNames) {
  Report report = family_report();
  Finding& finding = report.findings.lost[0];
  const std::string name = "Begin<" + std::string(100'000, 'x') + ">End";
  finding.members[0].type = finding.edges[1].field = name;
  finding.title = "cycle of 2: " + name + " <-> Child";
  finding.advice = "make it, which leads back to " + name + ", a std::weak_ptr";
  const std::string text = report_json(report);
  EXPECT_LT(text.size(), 30'000u);
  const json told = json::parse(text)["findings"][0];
  const std::string type = told["members"][0]["type"], title = told["title"];
  EXPECT_LE(type.size(), 2000u);
  EXPECT_TRUE(type.starts_with("Begin<xxx") && type.ends_with("xxx>End")) << type;
  EXPECT_NE(type.find("…"), std::string::npos);
  EXPECT_EQ(title, "cycle of 2: " + type + " <-> Child");
  const std::string advice = told["advice"];
  EXPECT_TRUE(advice.ends_with("a std::weak_ptr"));
}

TEST(Fingerprint, LastsFromRunToRun) {
  const Report one = family_report(), other = family_report();
  EXPECT_EQ(fingerprint(one, one.findings.lost[0]), fingerprint(other, other.findings.lost[0]));
  EXPECT_NE(fingerprint(one, one.findings.lost[0]), fingerprint(one, one.findings.lost[1]));
  Finding moved = one.findings.lost[0];
  moved.id = 9;
  moved.bytes *= 2;
  moved.members[0].address += 4096;
  EXPECT_EQ(fingerprint(one, one.findings.lost[0]), fingerprint(one, moved));
  moved.members[0].label = "Uncle";
  EXPECT_NE(fingerprint(one, one.findings.lost[0]), fingerprint(one, moved));
}

}  // namespace
}  // namespace heaprake::cli::test
