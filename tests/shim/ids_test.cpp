#include "shim/ids.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace heaprake::shim {
namespace {

TEST(Ids, GoThereAndBack) {
  EXPECT_EQ(id_of_address(0), 0u);
  EXPECT_EQ(address_of_id(0), 0u);
  for (uintptr_t address : {uintptr_t{16}, uintptr_t{0x5a3c00000000}, uintptr_t{0x7ffffffffff0}}) {
    EXPECT_NE(id_of_address(address), 0u);
    EXPECT_EQ(address_of_id(id_of_address(address)), address);
  }
}

// An array of ids, read at any multiple of four bytes, never shows a word of user space's upper
// parts, where the heap lies.
TEST(Ids, NoMixOfHalvesLooksLikeAnAddress) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    uintptr_t base = 0x5a3c00000000;
    gc_id_t ids[2] = {id_of_address(base + random() % (1ull << 40) / 16 * 16),
                      id_of_address(base + random() % (1ull << 40) / 16 * 16)};
    for (size_t offset : {0, 4, 8}) {
      uintptr_t word;
      std::memcpy(&word, reinterpret_cast<char*>(ids) + offset, sizeof word);
      EXPECT_FALSE(word - base < (1ull << 40)) << std::hex << word;
    }
  }
}

}  // namespace
}  // namespace heaprake::shim
