#include "cli/text.h"

#include <gtest/gtest.h>

namespace heaprake::cli {
namespace {

TEST(Text, IsShortenedInside) {
  EXPECT_EQ(shortened_inside("abcdefghij", 10), "abcdefghij");
  EXPECT_EQ(shortened_inside("abcdefghijk", 10), "abcd…ijk");
  EXPECT_EQ(shortened_inside("ääääää", 9), "ä…ä");
  EXPECT_EQ(shortened_inside("abcdef", 2), "…");
}

TEST(Text, NumbersAreGroupedByThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(UINT64_MAX), "18,446,744,073,709,551,615");
  EXPECT_EQ(counted(1, "block"), "1 block");
  EXPECT_EQ(counted(0, "block"), "0 blocks");
}

TEST(Text, SizesRoundWithoutLeavingTheUnit) {
  EXPECT_EQ(binary_size(1023), "1023 B");
  EXPECT_EQ(binary_size(1024), "1.0 KiB");
  EXPECT_EQ(binary_size(1024 * 1024 - 1), "1.0 MiB");
}

TEST(Text, CommandsAreQuotedForTheShell) {
  EXPECT_EQ(shell_command({"ls", "-l", "a b", "", "it's", "$x"}), "ls -l 'a b' '' 'it'\\''s' '$x'");
}

TEST(Text, ForeignTextCannotSendControlCharacters) {
  EXPECT_EQ(printable("a\x1b[31m\nb"), "a?[31m?b");
}

TEST(Text, TheNearestWordIsNearOrNone) {
  const std::vector<std::string> words = {"run", "hunt", "collect", "stats"};
  EXPECT_EQ(nearest("rnu", words), "run");
  EXPECT_EQ(nearest("colect", words), "collect");
  EXPECT_EQ(nearest("hnut", words), "hunt");
  EXPECT_EQ(nearest("xyzzy", words), "");
}

TEST(Text, WrappedLinesFitAndLoseNoWord) {
  std::string text;
  for (int i = 0; i < 100; i++) text += (i ? " word" : "word") + std::to_string(i);
  std::string lines = wrapped(text, 7, 30);
  std::string joined;
  size_t column = 30;
  for (size_t i = 0; i < lines.size(); i++) {
    if (lines[i] == '\n') {
      EXPECT_EQ(lines.substr(i + 1, 7), "       ");
      i += 7;
      column = 7;
      joined += ' ';
      continue;
    }
    joined += lines[i];
    EXPECT_LE(++column, kReportWidth);
  }
  EXPECT_EQ(joined, text);
}

TEST(Text, NumbersAreDigitsOnly) {
  uint64_t n = 0;
  EXPECT_TRUE(parse_number("18446744073709551615", &n));
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616"})
    EXPECT_FALSE(parse_number(bad, &n)) << bad;
}

}  // namespace
}  // namespace heaprake::cli
