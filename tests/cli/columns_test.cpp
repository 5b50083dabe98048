#include "cli/snapshot/columns.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace heaprake::cli {
namespace {

TEST(Columns, SizesKeepWhatFourBytesDoNot) {
  const std::vector<uint64_t> all = {
      0,          1, UINT32_MAX - 1,    UINT32_MAX, uint64_t{1} << 32, 48,
      UINT32_MAX, 7, uint64_t{1} << 46, 100,        UINT64_MAX};
  Sizes sizes;
  for (uint64_t size : all) {
    sizes.push_back(size);
    EXPECT_EQ(sizes.back(), size);
  }
  ASSERT_EQ(sizes.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(sizes[i], all[i]) << i;
}

TEST(Columns, RowsGoBeyondFourGi) {
  std::mt19937_64 random(1);
  std::vector<uint64_t> all;
  Rows rows;
  uint64_t at = 0;
  for (int i = 0; i < 10'000; ++i) {
    all.push_back(at);
    rows.push_back(at);
    EXPECT_EQ(rows.back(), at);
    if (i % 3 == 0) {  // as the reader does it: the row's end moves on while it is read
      at += random() % 100'000;
      ASSERT_TRUE(rows.holds(at));
      rows.set_back(at);
      all.back() = at;
    }
    at += random() % 4'000'000;
  }
  ASSERT_GT(at, uint64_t{UINT32_MAX});
  ASSERT_EQ(rows.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) ASSERT_EQ(rows[i], all[i]) << i;
  EXPECT_FALSE(rows.holds(at + (uint64_t{1} << 33)));
}

std::string raw(const std::vector<uint64_t>& words) {
  return {reinterpret_cast<const char*>(words.data()), words.size() * 8};
}

TEST(Columns, WordsComeBackAsTheyWere) {
  std::mt19937_64 random(2);
  std::vector<uint8_t> packed;
  for (size_t count : {0, 1, 2, 3, 63, 64, 127, 128, 300, 20'000}) {
    std::vector<uint64_t> words;
    for (size_t i = 0; i < count; ++i) words.push_back(i % 7 == 3 ? 0 : random() >> random() % 64);
    packed.clear();
    PackedWords::pack(raw(words).data(), count, &packed);
    EXPECT_EQ(packed.size(), PackedWords::packed_size(raw(words).data(), count));
    const PackedWords back(packed.data(), packed.data() + packed.size());
    ASSERT_EQ(back.size(), count);
    EXPECT_EQ(back.empty(), count == 0);
    EXPECT_EQ(back.all(), words);
    for (size_t i = 0; i < std::min<size_t>(count, 300); ++i) EXPECT_EQ(back[i], words[i]) << i;
  }
}

TEST(Columns, SmallWordsTakeLittleRoom) {
  const std::vector<uint64_t> node = {0x5a3c00990540, 1, 1, 1, 1, 0};
  EXPECT_EQ(PackedWords::packed_size(raw(node).data(), node.size()), 1 + 3 + 6 + 4u);
}

}  // namespace
}  // namespace heaprake::cli
