// The reports themselves: the JSON schema, and the text's width and totals.
#include "cli/report.h"

#include <gtest/gtest.h>

#include "cli/text.h"
#include "snapshot_builder.h"

#if __has_include(<nlohmann/json.hpp>)
#include <nlohmann/json.hpp>
#define HEAPRAKE_HAVE_JSON
#endif

namespace heaprake::cli::test {
namespace {

SnapshotBuilder example() {
  SnapshotBuilder builder;
  for (int i = 0; i < 3; ++i) {
    const uint64_t a = builder.block(40), b = builder.block(60), c = builder.block(50);
    builder.edge(a, b, 16).edge(b, a, 8).edge(b, c, 24);
  }
  builder.block(7);
  return builder;
}

#ifdef HEAPRAKE_HAVE_JSON
using nlohmann::json;

TEST(ReportJson, FollowsTheSchema) {
  const json report =
      json::parse(report_json(make_report(example().snapshot(), {"prog", "a\"b", "\xff", "\n"})));
  EXPECT_EQ(report["schema"], "heaprake-report/1");
  EXPECT_EQ(report["program"], (json{"prog", "a\"b", "\ufffd", "\n"}));
  EXPECT_EQ(report["pid"], 4711);
  EXPECT_EQ(report["complete"], true);
  EXPECT_EQ(report["incomplete_because"], json::array());
  EXPECT_EQ(report["summary"], (json{{"leaked_blocks", 10},
                                     {"leaked_bytes", 457},
                                     {"structures", 4},
                                     {"cycles", 3},
                                     {"findings", 2},
                                     {"uncertain_blocks", 0},
                                     {"reachable_blocks", 5},
                                     {"reachable_bytes", 500},
                                     {"suppressed_blocks", 0}}));
  ASSERT_EQ(report["findings"].size(), 2u);
  const json& finding = report["findings"][0];
  EXPECT_EQ(finding["id"], 1);
  EXPECT_EQ(finding["shape"], "cycle");
  EXPECT_EQ(finding["structures"], 3);
  EXPECT_EQ(finding["blocks"], 9);
  EXPECT_EQ(finding["bytes"], 450);
  ASSERT_EQ(finding["members"].size(), 3u);
  const json& member = finding["members"][0];
  EXPECT_EQ(member, (json{{"type", ""},
                          {"size", 40},
                          {"address", "0x10000"},
                          {"refcount", 1},
                          {"stack", json::array()}}));
  EXPECT_EQ(finding["edges"].size(), 3u);
  EXPECT_EQ(finding["edges"][static_cast<size_t>(finding["closing_edge"])],
            (json{{"from", 1}, {"to", 0}, {"offset", 8}}));
  EXPECT_EQ(report["findings"][1]["shape"], "block");
  EXPECT_TRUE(report["findings"][1]["closing_edge"].is_null());
}

TEST(ReportJson, SaysWhatItDoesNotKnow) {
  SnapshotBuilder builder;
  builder.incomplete = {"a mapping could not be read"};
  const json report = json::parse(report_json(make_report(builder.snapshot(), {"prog"})));
  EXPECT_EQ(report["complete"], false);
  EXPECT_EQ(report["incomplete_because"].size(), 1u);
  EXPECT_EQ(report["findings"], json::array());
}

TEST(ReportJson, TotalsStayExactWhenMembersAreOmitted) {
  SnapshotBuilder builder;
  for (uint64_t i = 0; i < 3000; ++i) builder.block(16);
  for (uint64_t i = 0; i < 3000; ++i) builder.edge(i, (i + 1) % 3000);
  const json finding = json::parse(report_json(make_report(builder.snapshot(), {})))["findings"][0];
  EXPECT_EQ(finding["blocks"], 3000);
  EXPECT_EQ(finding["members"].size() + static_cast<size_t>(finding["members_omitted"]), 3000u);
  for (const json& edge : finding["edges"]) {
    EXPECT_LT(edge["from"], finding["members"].size());
    EXPECT_LT(edge["to"], finding["members"].size());
  }
}
#endif

TEST(ReportText, FitsAndEndsWithTheNextCommand) {
  SnapshotBuilder builder;
  // Fifty findings of many sizes each.
  for (uint64_t i = 0; i < 50; ++i) {
    const uint64_t root = builder.block(1000 + i);
    for (uint64_t j = 0; j < 8; ++j) builder.edge(root, builder.block(100000 * (j + 1) + i), j * 8);
  }
  Report report = make_report(builder.snapshot(), {std::string(300, 'p')});
  suggest_next(&report, "", "");
  std::string text = report_text(report, false);
  EXPECT_NE(text.find("and 30 findings more: 270 blocks"), std::string::npos) << text;
  const size_t last = text.rfind('\n', text.size() - 2) + 1;
  EXPECT_EQ(text.substr(last, 10), "  heaprake");
  size_t column = 0;
  for (char c : text.substr(0, last)) EXPECT_LE(column = c == '\n' ? 0 : column + 1, kReportWidth);
}

TEST(ReportText, AProgramsNameCannotSendEscapes) {
  const Report report = make_report(example().snapshot(), {"a\x1b[2J"});
  EXPECT_EQ(report_text(report, false).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace heaprake::cli::test
