// What a finding is known by does not depend on what the analysis chose at will.
#include <gtest/gtest.h>

#include <algorithm>

#include "finding_fixture.h"

namespace heaprake::cli::test {
namespace {

Finding ring(const std::vector<std::pair<std::string, uint32_t>>& labels_and_stacks) {
  Finding finding = family_report().findings.lost[0];
  const Member one = finding.members[0];
  finding.members.clear();
  finding.edges.clear();
  finding.closing_edge = -1;
  for (const auto& [label, stack] : labels_and_stacks) {
    finding.members.push_back(one);
    finding.members.back().label = label;
    finding.members.back().stack = stack;
  }
  finding.cycle_length = static_cast<uint32_t>(finding.members.size());
  return finding;
}

void expect_same(const Finding& one, const Finding& other, bool same = true) {
  const Report report = family_report();
  EXPECT_EQ(fingerprint(report, one) == fingerprint(report, other), same);
  EXPECT_EQ(place_of(report, one) == place_of(report, other), same);
}

TEST(Fingerprint, DoesNotDependOnWhereACycleBegins) {
  expect_same(ring({{"A", 1}, {"B", 2}}), ring({{"B", 2}, {"A", 1}}));
  expect_same(ring({{"A", 1}, {"A", 2}}), ring({{"A", 2}, {"A", 1}}));
  expect_same(ring({{"A", 3}, {"A", 2}}), ring({{"A", 2}, {"A", 3}}));
  expect_same(ring({{"A", 1}, {"B", 2}, {"A", 2}, {"C", 1}}),
              ring({{"A", 2}, {"C", 1}, {"A", 1}, {"B", 2}}));
  expect_same(ring({{"A", 1}, {"B", 1}}), ring({{"A", 2}, {"B", 1}}), false);
}

TEST(Fingerprint, DependsOnTheOrderOfACycle) {
  const Report report = family_report();
  EXPECT_NE(fingerprint(report, ring({{"A", 1}, {"B", 1}, {"C", 1}})),
            fingerprint(report, ring({{"A", 1}, {"C", 1}, {"B", 1}})));
}

TEST(Fingerprint, OfALongRingDoesNotDependOnHowManyMembersAreKept) {
  std::vector<std::pair<std::string, uint32_t>> members;
  for (int i = 0; i < 10; ++i) members.insert(members.end(), {{"A", 2}, {"B", 1}});
  const Finding whole = ring(members);
  Finding cut = whole;
  cut.members.resize(16);
  cut.members_omitted = 4;
  expect_same(whole, cut);
  std::rotate(cut.members.begin(), cut.members.begin() + 1, cut.members.end());
  expect_same(whole, cut);
  members.resize(18);
  expect_same(whole, ring(members));
}

}  // namespace
}  // namespace heaprake::cli::test
