#include "cli/option_table.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "cli/failure.h"

namespace heaprake::cli {
namespace {

const LibraryOption& row(const std::string& name) {
  for (const LibraryOption& option : library_options())
    if (option.name == name) return option;
  throw std::out_of_range(name);
}

bool legal(const std::string& name, const std::string& value) {
  try {
    check_option(row(name), value);
    return true;
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status, kExitUsage);
    EXPECT_NE(failure.message.find("--" + name), std::string::npos);
    return false;
  }
}

TEST(OptionTable, EveryDefaultIsLegal) {
  for (const LibraryOption& option : library_options())
    EXPECT_TRUE(legal(option.name, option.default_value)) << option.name;
}

TEST(OptionTable, ModesAreWords) {
  for (const char* mode : {"collect", "hunt", "oracle", "off"}) EXPECT_TRUE(legal("mode", mode));
  for (const char* mode : {"", "Hunt", "hun", "collect|hunt", "|"})
    EXPECT_FALSE(legal("mode", mode)) << mode;
}

TEST(OptionTable, SizesTakeSuffixesAndDoNotOverflow) {
  for (const char* size : {"0", "1", "512k", "32M", "1g", "17179869183g"})
    EXPECT_TRUE(legal("threshold", size)) << size;
  for (const char* size : {"", "k", "1t", "1kb", "-1", "1.5m", "17179869184g", " 1"})
    EXPECT_FALSE(legal("threshold", size)) << size;
}

TEST(OptionTable, NumbersKeepToTheirRangeOrList) {
  EXPECT_TRUE(legal("growth", "0"));
  EXPECT_TRUE(legal("growth", "10000"));
  EXPECT_FALSE(legal("growth", "10001"));
  EXPECT_TRUE(legal("alignment", "8"));
  EXPECT_FALSE(legal("alignment", "2"));
}

TEST(OptionTable, FlagsAndOutputs) {
  EXPECT_TRUE(legal("verify", "1"));
  EXPECT_FALSE(legal("verify", "yes"));
  EXPECT_TRUE(legal("stats", "/tmp/a:b"));
  EXPECT_FALSE(legal("stats", ""));
  EXPECT_FALSE(legal("stats", "'\""));
  EXPECT_FALSE(legal("snapshot", "1"));
}

TEST(OptionTable, AMessageNamesOptionAndLegalValues) {
  try {
    check_option(row("mode"), "on");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.message, "--mode=on: mode must be collect, hunt, oracle or off");
  }
}

TEST(OptionTable, TheCommandLineWinsOverTheEnvironment) {
  EXPECT_EQ(merge_options("", {{"mode", "hunt"}}), "mode=hunt");
  EXPECT_EQ(merge_options("mode=off:pad=1:mode=hunt", {{"mode", "oracle"}}), "pad=1:mode=oracle");
  EXPECT_EQ(merge_options("::pad=1:", {}), "pad=1");
}

TEST(OptionTable, QuotedValuesKeepTheirColons) {
  EXPECT_EQ(merge_options("stats='a:b':pad=1", {{"verify", "1"}}), "stats='a:b':pad=1:verify=1");
  EXPECT_EQ(merge_options("stats='a:pad=1':pad=0", {{"pad", "1"}}), "stats='a:pad=1':pad=1");
  EXPECT_EQ(merge_options("", {{"stats", "/a:b"}}), "stats='/a:b'");
  EXPECT_EQ(merge_options("", {{"stats", "/a'b:"}}), "stats=\"/a'b:\"");
  EXPECT_EQ(option_value("stats='a:b':pad=1", "stats"), "a:b");
  // Without an end the quote is a letter like others, as in the library.
  EXPECT_EQ(option_value("stats='a:pad=1", "pad"), "1");
}

TEST(OptionTable, AValueIsTheLastOneOrTheDefault) {
  EXPECT_EQ(option_value("mode=hunt:mode=off", "mode"), "off");
  EXPECT_EQ(option_value("", "mode"), "collect");
}

TEST(OptionTable, PathsAreMadeAbsolute) {
  Arguments arguments;
  arguments.options = {{"stats", "x/../y%p"}, {"mode", "hunt"}};
  const auto chosen = chosen_options(arguments);
  EXPECT_EQ(chosen.at("stats"), (std::filesystem::current_path() / "y%p").string());
  EXPECT_EQ(chosen.at("mode"), "hunt");
  arguments.options = {{"stats", "1"}};
  EXPECT_EQ(chosen_options(arguments).at("stats"), "1");
}

}  // namespace
}  // namespace heaprake::cli
