// Noted blocks: found, measured, moved and freed as others are, and the hooks are told.
#include <vector>

#include "heap_fixture.h"

namespace {

std::vector<uintptr_t> freed;
std::vector<std::pair<uintptr_t, uintptr_t>> moves;
bool may_move = true;

bool on_move(uintptr_t from, uintptr_t to) {
  if (!may_move || !heap::note(to)) return false;
  if (from != to) heap::unnote(from);
  moves.emplace_back(from, to);
  return true;
}

constexpr heap::NoteHooks kHooks = {[](uintptr_t block) { freed.push_back(block); }, on_move};

class Notes : public Heap {
 protected:
  void SetUp() override {
    Heap::SetUp();
    heap::set_note_hooks(&kHooks);
  }
};

// One of each kind: small, the longest small ones, large, wide, titled.
std::vector<void*> one_of_each() {
  std::vector<void*> blocks;
  for (size_t size : {1, 16, 100, 4016, 4032, 4048, 5000, 100'000, 3 << 20, 40 << 20}) {
    blocks.push_back(heap::allocate(size));
    blocks.push_back(heap::allocate_leaf(size));
  }
  return blocks;
}

TEST_F(Notes, AreFoundEverywhereAsBefore) {
  for (void* p : one_of_each()) {
    const heap::Block before = heap::find_block(address_of(p));
    ASSERT_FALSE(heap::is_noted(before.address));
    ASSERT_TRUE(heap::note(before.address));
    ASSERT_TRUE(heap::note(before.address));
    ASSERT_TRUE(heap::is_noted(before.address));
    for (size_t at : {size_t{0}, before.size / 2, before.size - 1}) {
      const heap::Block found = heap::find_block(before.address + at);
      EXPECT_EQ(found.address, before.address);
      EXPECT_EQ(found.size, before.size);
      EXPECT_EQ(found.leaf, before.leaf);
    }
    EXPECT_EQ(heap::usable_size(p), before.size);
    EXPECT_EQ(heap::classify(p), heap::Misuse::kNone);
    heap::unnote(before.address);
    EXPECT_FALSE(heap::is_noted(before.address));
    EXPECT_EQ(heap::find_block(before.address + before.size - 1).size, before.size);
    heap::release(p);
    EXPECT_FALSE(heap::find_block(before.address));
  }
  EXPECT_TRUE(freed.empty());
}

TEST_F(Notes, TellWhenTheProgramFrees) {
  for (void* p : one_of_each()) {
    ASSERT_TRUE(heap::note(address_of(p)));
    freed.clear();
    heap::release(p);
    ASSERT_EQ(freed, std::vector{address_of(p)});
    EXPECT_FALSE(heap::find_block(address_of(p)));
  }
  // Another block in the same place is an ordinary one.
  void* p = heap::allocate(100);
  EXPECT_FALSE(heap::is_noted(address_of(p)));
  heap::release(p);
}

TEST_F(Notes, StayWithABlockThatIsResized) {
  for (void* p : one_of_each()) {
    const size_t size = heap::usable_size(p);
    memset(p, 7, size);
    ASSERT_TRUE(heap::note(address_of(p)));
    // A little shorter in place, and longer elsewhere.
    for (size_t wanted : {size - size / 8, size * 3}) {
      moves.clear();
      auto* grown = static_cast<unsigned char*>(heap::reallocate(p, wanted));
      ASSERT_TRUE(grown);
      ASSERT_TRUE(grown == p || moves.size() == 1);
      if (!moves.empty()) {
        EXPECT_EQ(moves[0], std::pair(address_of(p), address_of(grown)));
      }
      p = grown;
      ASSERT_TRUE(heap::is_noted(address_of(p)));
      EXPECT_GE(heap::usable_size(p), wanted);
      EXPECT_LT(heap::usable_size(p), wanted + 64 + wanted / 4);
      EXPECT_EQ(grown[0], 7);
      EXPECT_EQ(grown[size - size / 8 - 1], 7);
    }
    heap::release(p);
  }
}

TEST_F(Notes, AMoveThatFailsLeavesTheBlock) {
  void* p = heap::allocate(64);
  memset(p, 9, 64);
  ASSERT_TRUE(heap::note(address_of(p)));
  may_move = false;
  EXPECT_EQ(heap::reallocate(p, 100'000), nullptr);
  may_move = true;
  EXPECT_TRUE(heap::is_noted(address_of(p)));
  EXPECT_EQ(static_cast<char*>(p)[63], 9);
  heap::release(p);
}

TEST_F(Notes, SweepTakesThemOffAndPutsThemBackAsOrdinaryOnes) {
  for (void* p : one_of_each()) {
    const heap::Block block = heap::find_block(address_of(p));
    ASSERT_TRUE(heap::note(block.address));
    const uint8_t byte = heap::unrecord(block);
    EXPECT_FALSE(heap::find_block(block.address));
    heap::restore(block, byte);
    EXPECT_EQ(heap::find_block(block.address).size, block.size);
    EXPECT_FALSE(heap::is_noted(block.address));
    heap::free_unrecorded(block, heap::unrecord(block));
  }
}

TEST_F(Notes, OnlyBlocksCanBeNoted) {
  void* p = heap::allocate(64);
  EXPECT_FALSE(heap::note(address_of(p) + 16));
  EXPECT_FALSE(heap::find_block(address_of(p) + 16 + 64));
  heap::release(p);
}

}  // namespace
