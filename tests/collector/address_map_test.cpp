// The table of notes against std::map, with addresses as blocks have them.
#include "collector/address_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace heaprake::test {
namespace {

struct Entry {
  uintptr_t address;
  uint64_t value;
};
using Table = collector::AddressMap<Entry>;
using Shadow = std::map<uintptr_t, uint64_t>;

void expect_equal(Table& table, const Shadow& shadow) {
  ASSERT_EQ(table.size(), shadow.size());
  size_t seen = 0;
  table.for_each([&](const Entry& entry) {
    seen++;
    auto known = shadow.find(entry.address);
    ASSERT_NE(known, shadow.end());
    ASSERT_EQ(known->second, entry.value);
  });
  ASSERT_EQ(seen, shadow.size());
  for (const auto& [address, value] : shadow) {
    const Entry* found = table.find(address);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->value, value);
  }
}

TEST(AddressMap, EqualsAShadowAfterChurn) {
  std::mt19937_64 random(7);
  for (size_t distance : {16, 48, 4096, 1 << 20}) {
    Table table;
    Shadow shadow;
    for (int i = 0; i < 20000; ++i) {
      const uintptr_t address = 0x5a3c'0000'0000 + random() % 2000 * distance;
      if (random() % 5 < 3) {
        table.insert(address)->value = static_cast<uint64_t>(i);
        shadow[address] = static_cast<uint64_t>(i);
      } else if (Entry* entry = table.find(address)) {
        table.erase(entry);
        shadow.erase(address);
      }
      ASSERT_EQ(table.find(address) != nullptr, shadow.count(address) != 0);
    }
    expect_equal(table, shadow);
    auto odd = [](uint64_t value) { return value % 2 == 1; };
    table.erase_if([&](const Entry& entry) { return odd(entry.value); });
    std::erase_if(shadow, [&](const auto& item) { return odd(item.second); });
    expect_equal(table, shadow);
    table.release();
    EXPECT_EQ(table.find(0x5a3c'0000'0000), nullptr);
  }
}

}  // namespace
}  // namespace heaprake::test
