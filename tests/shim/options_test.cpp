#include "shim/options.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace heaprake::shim {
namespace {

std::string complaints;
void note(const char* text, size_t length) {
  complaints.append(text, length);
}

std::unique_ptr<Settings> parsed(const char* text) {
  auto settings = std::make_unique<Settings>();
  complaints.clear();
  set_defaults(settings.get());
  parse_options(text, settings.get(), note);
  return settings;
}

TEST(Options, DefaultsAreTheTable) {
  auto s = parsed("");
  EXPECT_EQ(s->mode, collector::Mode::kCollect);
  EXPECT_EQ(s->threshold, 32u << 20);
  EXPECT_EQ(s->growth, 100u);
  EXPECT_FALSE(s->stats.on());
  EXPECT_TRUE(s->abort);
  EXPECT_FALSE(s->verify);
  EXPECT_EQ(complaints, "");
}

TEST(Options, EveryKindIsRead) {
  auto s = parsed("mode=hunt:threshold=3k:growth=0:verify=1:stats=/tmp/x%p:alignment=8:abort=0");
  EXPECT_EQ(s->mode, collector::Mode::kHunt);
  EXPECT_EQ(s->threshold, 3u << 10);
  EXPECT_EQ(s->growth, 0u);
  EXPECT_TRUE(s->verify);
  EXPECT_FALSE(s->abort);
  EXPECT_STREQ(s->stats.path, "/tmp/x%p");
  EXPECT_TRUE(s->stats.names_process());
  EXPECT_EQ(s->alignment, 8u);
  EXPECT_EQ(complaints, "");
}

TEST(Options, SizesTakeSuffixes) {
  EXPECT_EQ(parsed("threshold=0")->threshold, 0u);
  EXPECT_EQ(parsed("threshold=7")->threshold, 7u);
  EXPECT_EQ(parsed("threshold=7M")->threshold, 7u << 20);
  EXPECT_EQ(parsed("threshold=5g")->threshold, size_t{5} << 30);
  EXPECT_EQ(complaints, "");
}

TEST(Options, ValuesOutOfBoundsNameTheLegalOnesAndGiveTheDefault) {
  for (const char* text :
       {"growth=10001", "growth=-1", "growth=", "growth=ten", "growth=99999999999999999999"}) {
    EXPECT_EQ(parsed(text)->growth, 100u) << text;
    EXPECT_NE(complaints.find("growth takes 0 to 10000"), std::string::npos) << complaints;
  }
  for (const char* text : {"alignment=2", "alignment=10", "alignment=44"}) {
    EXPECT_EQ(parsed(text)->alignment, 0u) << text;
    EXPECT_NE(complaints.find("alignment takes 0, 1, 4 or 8"), std::string::npos) << complaints;
  }
  for (const char* text :
       {"threshold=k", "threshold=1kk", "threshold=99999999999g", "threshold=1 "}) {
    EXPECT_EQ(parsed(text)->threshold, 32u << 20) << text;
    EXPECT_NE(complaints, "") << text;
  }
  EXPECT_EQ(parsed("mode=Hunt")->mode, collector::Mode::kCollect);
  EXPECT_NE(complaints.find("collect|hunt|oracle|off"), std::string::npos) << complaints;
  EXPECT_FALSE(parsed("verify=yes")->verify);
  EXPECT_FALSE(parsed("snapshot=1")->snapshot.on());
  EXPECT_NE(complaints.find("snapshot takes 0 or a path"), std::string::npos) << complaints;
}

TEST(Options, OneSentenceForEachUnknownName) {
  auto s = parsed("treshold=1k:growth=7:nonsense");
  EXPECT_EQ(s->growth, 7u);
  EXPECT_NE(complaints.find("no option \"treshold\""), std::string::npos) << complaints;
  EXPECT_NE(complaints.find("no option \"nonsense\""), std::string::npos) << complaints;
  EXPECT_NE(complaints.find("mode, threshold, growth"), std::string::npos) << complaints;
  EXPECT_EQ(std::count(complaints.begin(), complaints.end(), '\n'), 2);
}

TEST(Options, QuotesKeepColons) {
  EXPECT_STREQ(parsed("stats='/tmp/a:b':verify=1")->stats.path, "/tmp/a:b");
  auto s = parsed("stats=\"/tmp/a:b\":verify=1");
  EXPECT_STREQ(s->stats.path, "/tmp/a:b");
  EXPECT_TRUE(s->verify);
  EXPECT_EQ(complaints, "");
}

TEST(Options, StatsOneIsStderrAndALaterValueWins) {
  auto s = parsed("stats=/tmp/x:stats=1");
  EXPECT_TRUE(s->stats.to_error);
  EXPECT_STREQ(s->stats.path, "");
  s = parsed("stats=1:stats=0");
  EXPECT_FALSE(s->stats.on());
}

TEST(Options, PathsThatDoNotFitAreRefused) {
  std::string text = "stats=/" + std::string(PATH_MAX, 'x');
  EXPECT_FALSE(parsed(text.c_str())->stats.on());
  EXPECT_NE(complaints, "");
}

TEST(Options, EmptyPiecesAreNothing) {
  EXPECT_EQ(parsed("::growth=5::")->growth, 5u);
  EXPECT_EQ(complaints, "");
}

}  // namespace
}  // namespace heaprake::shim
