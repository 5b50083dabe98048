#include "cli/arguments.h"

#include <gtest/gtest.h>

#include "cli/failure.h"

namespace heaprake::cli {
namespace {

const std::vector<OptionSpec> kSpecs = {{"top", Takes::kValue, "N", "", 't'},
                                        {"stats", Takes::kOptional, "PATH", ""},
                                        {"force", Takes::kNothing, "", "", 'f'}};

Arguments parse(const std::vector<std::string>& words, Order order = Order::kMixed) {
  return parse_arguments(kSpecs, order, words);
}

std::string failure_of(const std::vector<std::string>& words) {
  try {
    parse(words);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status, kExitUsage);
    return failure.message;
  }
  return "";
}

TEST(Arguments, ValuesComeInEveryForm) {
  EXPECT_EQ(parse({"--top=3"}).value("top"), "3");
  EXPECT_EQ(parse({"--top", "3"}).value("top"), "3");
  EXPECT_EQ(parse({"-t3"}).value("top"), "3");
  EXPECT_EQ(parse({"-t", "3"}).value("top"), "3");
  EXPECT_EQ(parse({"--top="}).value("top"), "");
  EXPECT_TRUE(parse({"-h"}).has("help"));
}

TEST(Arguments, AnOptionalValueDoesNotSwallowAnOperand) {
  const Arguments parsed = parse({"--stats", "program"});
  EXPECT_EQ(parsed.value("stats"), "1");
  EXPECT_EQ(parsed.operands, std::vector<std::string>{"program"});
}

TEST(Arguments, WhatFollowsTheProgramIsTheProgramsOwn) {
  const Arguments parsed = parse({"-f", "ls", "-l", "--top"}, Order::kProgramFirst);
  EXPECT_EQ(parsed.operands, (std::vector<std::string>{"ls", "-l", "--top"}));
  EXPECT_FALSE(parsed.has("top"));
  EXPECT_EQ(parse({"--", "--stats"}, Order::kProgramFirst).operands[0], "--stats");
}

TEST(Arguments, OptionsMayFollowOperandsElsewhere) {
  const Arguments parsed = parse({"4711", "--force"});
  EXPECT_EQ(parsed.operands, std::vector<std::string>{"4711"});
  EXPECT_TRUE(parsed.has("force"));
}

TEST(Arguments, MistakesNameTheOption) {
  EXPECT_EQ(failure_of({"--tpo=1"}), "unknown option --tpo; did you mean --top?");
  EXPECT_EQ(failure_of({"--force=1"}), "--force takes no value");
  EXPECT_EQ(failure_of({"--top"}), "--top needs a value: --top=N");
  EXPECT_EQ(failure_of({"--top", "--"}), "--top needs a value: --top=N");
  EXPECT_EQ(failure_of({"-x"}), "unknown option -x");
}

}  // namespace
}  // namespace heaprake::cli
