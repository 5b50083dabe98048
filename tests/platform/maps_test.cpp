#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "platform/maps_parser.h"

namespace heaprake::platform {
namespace {

struct Line {
  std::string text;
  Mapping mapping{};
  bool ok = false;
  explicit Line(const char* t) : text(t) {
    ok = parse_maps_line(text.data(), text.size(), &mapping);
  }
};

TEST(MapsLine, Fields) {
  const Line line("7f12a0000000-7f12a0021000 rw-p 00000000 00:00 0 ");
  ASSERT_TRUE(line.ok);
  EXPECT_EQ(line.mapping.range.lo, 0x7f12a0000000u);
  EXPECT_EQ(line.mapping.range.hi, 0x7f12a0021000u);
  EXPECT_TRUE(line.mapping.readable);
  EXPECT_TRUE(line.mapping.writable);
  EXPECT_FALSE(line.mapping.executable);
  EXPECT_FALSE(line.mapping.shared);
  EXPECT_FALSE(line.mapping.file_backed);
  EXPECT_FALSE(line.mapping.device);
  EXPECT_STREQ(line.mapping.name, "");
}

TEST(MapsLine, Names) {
  const Line spaces(
      "400000-401000 r-xs 00001000 fe:01 1234567                    /a b/c  d (deleted)");
  ASSERT_TRUE(spaces.ok);
  EXPECT_STREQ(spaces.mapping.name, "/a b/c  d (deleted)");
  EXPECT_TRUE(spaces.mapping.shared);
  EXPECT_TRUE(spaces.mapping.file_backed);
  EXPECT_TRUE(spaces.mapping.executable);
  EXPECT_FALSE(spaces.mapping.writable);
  const Line memfd("400000-401000 rw-s 00000000 00:01 9  /memfd:x (deleted)");
  EXPECT_TRUE(memfd.ok && memfd.mapping.file_backed && !memfd.mapping.device);
  const Line bare("400000-401000 ---p 00000000 00:00 0");
  EXPECT_TRUE(bare.ok);
  const Line top("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]");
  EXPECT_TRUE(top.ok && top.mapping.device);
}

TEST(MapsLine, WhatIsADevice) {
  const struct {
    const char* name;
    bool device, main_stack;
  } cases[] = {
      {"/dev/dri/card0", true, false},
      {"/dev/mem", true, false},
      {"/dev/shm/x", false, false},
      {"/dev/zero (deleted)", false, false},
      {"/dev/zero", false, false},
      {"/dev/hugepages/a", false, false},
      {"/dev/shmoo", true, false},
      {"/sys/bus/pci/devices/x/resource0", true, false},
      {"[vvar]", true, false},
      {"[vdso]", true, false},
      {"[heap]", false, false},
      {"[stack]", false, true},
      {"[anon:pool]", false, false},
      {"anon_inode:[vfio-device]", true, false},
      {"anon_inode:[io_uring]", false, false},
      {"/home/dev/x", false, false},
      {"/x [stack]", false, false},
  };
  for (const auto& c : cases) {
    const Line line((std::string("1000-2000 rw-p 00000000 00:00 0     ") + c.name).c_str());
    ASSERT_TRUE(line.ok) << c.name;
    EXPECT_EQ(line.mapping.device, c.device) << c.name;
    EXPECT_EQ(line.mapping.main_stack, c.main_stack) << c.name;
  }
}

TEST(MapsLine, Nonsense) {
  for (const char* text :
       {"", "x", "1000", "1000-", "1000-2000", "1000-2000 ", "1000-2000 rw-",
        "1000-2000 rwzp 0 0:0 0", "2000-1000 rw-p 0 0:0 0", "1000-1000 rw-p 0 0:0 0",
        "1000-2000 rw-q 0 0:0 0", "1000-2000 rw-p 0 00 0", "1000-2000 rw-p 0 0:0 x",
        "1000-2000 rw-p 0 0:0 0x", "11111111111111111-2000 rw-p 0 0:0 0",
        "1000_2000 rw-p 0 0:0 0"}) {
    EXPECT_FALSE(Line(text).ok) << text;
  }
}

TEST(MapsLine, EveryPrefixAndEveryDamagedByteIsSurvived) {
  const std::string good = "7f12a0000000-7f12a0021000 rw-p 00000000 fe:01 77      /lib/x.so";
  for (size_t i = 0; i < good.size(); ++i) {
    Line prefix(good.substr(0, i).c_str());
    for (int byte = 1; byte < 256; ++byte) {
      std::string bad = good;
      bad[i] = static_cast<char>(byte);
      Line line(bad.c_str());
      if (line.ok) {
        EXPECT_LT(line.mapping.range.lo, line.mapping.range.hi);
      }
    }
  }
}

// The same text, handed over in pieces of every size.
TEST(MapsReader, PiecesDoNotMatter) {
  std::string text;
  for (int i = 1; i <= 300; ++i) {
    char line[128];
    snprintf(line, sizeof line, "%x000-%x800 rw-p 00000000 00:00 0     /name %d\n", i, i, i);
    text += line;
  }
  text.pop_back();  // the last line without its newline
  for (size_t piece : {size_t{1}, size_t{7}, size_t{64}, size_t{4096}, size_t{100000}}) {
    MapsReader reader;
    int seen = 0;
    bool names_right = true;
    auto visit = [&](const Mapping& mapping) {
      ++seen;
      names_right &= mapping.name == "/name " + std::to_string(seen) &&
                     mapping.range.lo == static_cast<uintptr_t>(seen) << 12;
      return true;
    };
    for (size_t at = 0; at < text.size();) {
      const size_t n = std::min({piece, reader.room(), text.size() - at});
      std::memcpy(reader.space(), text.data() + at, n);
      at += n;
      ASSERT_EQ(reader.consume(n, false, visit), MapsReader::Result::kMore);
    }
    ASSERT_EQ(reader.consume(0, true, visit), MapsReader::Result::kMore);
    EXPECT_EQ(seen, 300) << piece;
    EXPECT_TRUE(names_right) << piece;
  }
}

TEST(MapsReader, ANameLongerThanTheBufferIsCut) {
  std::string text = "1000-2000 rw-p 00000000 00:00 0     /" + std::string(50000, 'a') + "\n" +
                     "3000-4000 rw-p 00000000 00:00 0     /b\n";
  MapsReader reader;
  std::vector<Range> seen;
  for (size_t at = 0; at < text.size();) {
    const size_t n = std::min(reader.room(), text.size() - at);
    std::memcpy(reader.space(), text.data() + at, n);
    at += n;
    ASSERT_EQ(reader.consume(n, false,
                             [&](const Mapping& m) {
                               seen.push_back(m.range);
                               return true;
                             }),
              MapsReader::Result::kMore);
  }
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].lo, 0x1000u);
  EXPECT_EQ(seen[1].lo, 0x3000u);
}

TEST(MapsReader, StopsAndComplains) {
  auto result_of = [](const char* text, bool go_on) {
    MapsReader reader;
    std::memcpy(reader.space(), text, std::strlen(text));
    return reader.consume(std::strlen(text), false, [&](const Mapping&) { return go_on; });
  };
  EXPECT_EQ(result_of("1000-2000 rw-p 0 0:0 0\n", false), MapsReader::Result::kStopped);
  EXPECT_EQ(result_of("rubbish\n", true), MapsReader::Result::kMalformed);
}

}  // namespace
}  // namespace heaprake::platform
