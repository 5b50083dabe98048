// Memory of freed blocks goes back to the system.
#include <thread>

#include "allocator/retained.h"
#include "heap_fixture.h"
#include "lists.h"
#include "resident_bytes.h"

namespace {

class Return : public Heap {};

constexpr size_t kTotal = 256u << 20;

TEST_F(Return, TrimGivesBackWhatTheThreadFreed) {
  size_t before = resident_bytes();
  for (size_t size : {64u, 1000u, 20000u, 300000u, 3u << 20, 20u << 20}) {
    free_list(make_list(size, kTotal));
    EXPECT_TRUE(heap::trim());
    EXPECT_LT(resident_bytes(), before + kTotal / 4) << size;
  }
}

TEST_F(Return, TrimGivesBackWhatAThreadLeft) {
  size_t before = resident_bytes();
  for (size_t size : {64u, 20000u, 300000u, 20u << 20}) {
    void* list = nullptr;
    std::thread([&] { list = make_list(size, kTotal); }).join();
    free_list(list);
    EXPECT_TRUE(heap::trim());
    EXPECT_LT(resident_bytes(), before + kTotal / 4) << size;
  }
}

// Once: what was given back in the last second is not looked at again.
TEST_F(Return, MostGoesBackBeforeTheProgramWaits) {
  size_t before = resident_bytes();
  free_list(make_list(1000, kTotal));
  heap::retained::on_idle();
  EXPECT_LT(resident_bytes(), before + kTotal / 4);
}

TEST_F(Return, VeryLargeBlocksGoBackAtOnce) {
  size_t before = resident_bytes();
  void* list = make_list(32u << 20, kTotal);
  EXPECT_GT(resident_bytes(), before + kTotal / 2);
  free_list(list);
  EXPECT_LT(resident_bytes(), before + kTotal / 4);
}

}  // namespace
