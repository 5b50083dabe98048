// Memory of freed blocks goes back to the system.
#include <thread>

#include "allocator/retained.h"
#include "heap_fixture.h"
#include "resident_bytes.h"

namespace {

class Return : public Heap {};

constexpr size_t kTotal = 256u << 20;

void* make_list(size_t size) {
  void* last = nullptr;
  for (size_t bytes = 0; bytes < kTotal; bytes += size) {
    void* p = heap::allocate(size);
    std::memset(p, 1, size);
    *static_cast<void**>(p) = last;
    last = p;
  }
  return last;
}

void free_list(void* last) {
  while (last) {
    void* p = last;
    last = *static_cast<void**>(p);
    heap::release(p);
  }
}

TEST_F(Return, TrimGivesBackWhatTheThreadFreed) {
  size_t before = resident_bytes();
  for (size_t size : {64u, 1000u, 20000u, 300000u, 3u << 20, 20u << 20}) {
    free_list(make_list(size));
    EXPECT_TRUE(heap::trim());
    EXPECT_LT(resident_bytes(), before + kTotal / 4) << size;
  }
}

TEST_F(Return, TrimGivesBackWhatAThreadLeft) {
  size_t before = resident_bytes();
  for (size_t size : {64u, 20000u, 300000u, 20u << 20}) {
    void* list = nullptr;
    std::thread([&] { list = make_list(size); }).join();
    free_list(list);
    EXPECT_TRUE(heap::trim());
    EXPECT_LT(resident_bytes(), before + kTotal / 4) << size;
  }
}

// Once: what was given back in the last second is not looked at again.
TEST_F(Return, MostGoesBackBeforeTheProgramWaits) {
  size_t before = resident_bytes();
  free_list(make_list(1000));
  heap::retained::on_idle();
  EXPECT_LT(resident_bytes(), before + kTotal / 4);
}

TEST_F(Return, VeryLargeBlocksGoBackAtOnce) {
  size_t before = resident_bytes();
  void* list = make_list(32u << 20);
  EXPECT_GT(resident_bytes(), before + kTotal / 2);
  free_list(list);
  EXPECT_LT(resident_bytes(), before + kTotal / 4);
}

}  // namespace
