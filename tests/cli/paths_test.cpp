// Ways from roots to blocks.
#include "cli/analysis/paths.h"

#include <gtest/gtest.h>

#include "whole_snapshot.h"

namespace heaprake::cli {
namespace {

using test::reachable;
using test::with_all;

// A snapshot and what is known of it.
class Whole {
 public:
  explicit Whole(test::SnapshotBuilder builder)
      : snapshot_(builder.snapshot()),
        types_(find_types(snapshot_)),
        symbols_(snapshot_),
        fields_(snapshot_) {}
  Names names() const { return {snapshot_, types_, symbols_, fields_}; }

  uint32_t add_type(const Type& type) {
    types_.all.push_back(type);
    return static_cast<uint32_t>(types_.all.size() - 1);
  }
  void set_type(uint64_t block, uint32_t type, TypeSource source) {
    types_.of[block] = type;
    types_.sources[block] = source;
  }

 private:
  const Snapshot snapshot_;
  Types types_;
  mutable Symbols symbols_;
  mutable Fields fields_;
};

std::vector<uint32_t> blocks_of(const std::optional<Path>& path) {
  std::vector<uint32_t> blocks;
  if (!path) return blocks;
  for (const Path::Step& step : path->steps) blocks.push_back(step.block);
  return blocks;
}

TEST(Paths, AreShortestAndPreferGlobals) {
  test::SnapshotBuilder builder = with_all();
  for (int i = 0; i < 6; ++i) reachable(&builder, 40, 1);
  builder.block(40);
  // A global leads to 0, then 1, 2, 3 or straight to 3; the stack to 2 and 5.
  builder.edge(0, 1, 8).edge(1, 2, 8).edge(2, 3, 8).edge(1, 3, 16, 4).edge(3, 4).edge(4, 0);
  builder.root(GC_REFERENCE_STACK, 2, 1, 0x7ffc0000);
  builder.root(GC_REFERENCE_STACK, 5, 1, 0x7ffc0008, 16);
  builder.root(GC_REFERENCE_GLOBAL, 0, 0, 0x8000);
  const Whole whole(builder);
  const Paths paths(whole.names());
  EXPECT_EQ(blocks_of(paths.to(0)), (std::vector<uint32_t>{0}));
  EXPECT_EQ(blocks_of(paths.to(2)), (std::vector<uint32_t>{0, 1, 2}));
  EXPECT_EQ(blocks_of(paths.to(4)), (std::vector<uint32_t>{0, 1, 3, 4}));
  EXPECT_EQ(paths.to(4)->root.kind, GC_REFERENCE_GLOBAL);
  EXPECT_EQ(paths.to(4)->steps[2].offset, 16u);
  EXPECT_EQ(paths.to(4)->steps[2].inner, 4u);
  EXPECT_EQ(blocks_of(paths.to(5)), (std::vector<uint32_t>{5}));
  EXPECT_EQ(paths.to(5)->steps[0].inner, 16u);
  EXPECT_FALSE(paths.to(6));
}

TEST(Paths, LongOnesAreToldShort) {
  test::SnapshotBuilder builder = with_all();
  for (uint64_t i = 0; i < 1000; ++i) {
    reachable(&builder, 32, 1);
    if (i > 0) builder.edge(i - 1, i, 8);
  }
  builder.root(GC_REFERENCE_GLOBAL, 0, 0, 0x8000);
  const Whole whole(builder);
  const std::string text = path_text(whole.names(), *Paths(whole.names()).to(999));
  EXPECT_NE(text.find("999 times block of 32 bytes -> block of 32 bytes"), std::string::npos)
      << text;
  EXPECT_LT(text.size(), 200u);
}

// Objects with their control blocks in front (make_shared), and what refers to them: {.., the
// object's address, the control block's}.
class WeakPaths : public ::testing::Test {
 protected:
  uint64_t object(uint32_t owners, uint32_t weak) {
    const uint64_t block = reachable(&builder_, 48, 1);
    builder_.blocks[block].words = {0x5100, uint64_t{weak + (owners > 0 ? 1 : 0)} << 32 | owners};
    objects_.push_back(block);
    return block;
  }
  uint64_t holder() { return reachable(&builder_, 64, 2); }
  void point(uint64_t from, uint64_t to, uint64_t offset = 16) {
    builder_.edge(from, to, offset, 16).edge(from, to, offset + 8);
  }
  void root(uint64_t to) { builder_.root(GC_REFERENCE_GLOBAL, to, 0, next_root_ += 16); }
  void root_pointer(uint64_t to) {
    builder_.root(GC_REFERENCE_GLOBAL, to, 0, next_root_ += 16, 16);
    builder_.root(GC_REFERENCE_GLOBAL, to, 0, next_root_ + 8);
  }
  // The way, and 'w' or '.' for each of its words.
  std::pair<std::vector<uint32_t>, std::string> way(uint64_t to) {
    Whole whole(builder_);
    Type type{"Object", "Object", ControlBlock{"Object", true, 16, false, false}, 0};
    const uint32_t number = whole.add_type(type);
    for (uint64_t block : objects_) whole.set_type(block, number, TypeSource::kControlBlock);
    const std::optional<Path> path = Paths(whole.names()).to(static_cast<uint32_t>(to));
    std::string weak;
    for (size_t i = 0; path && i < path->steps.size(); ++i) weak += path->steps[i].weak ? 'w' : '.';
    return {blocks_of(path), weak};
  }
  using Way = std::pair<std::vector<uint32_t>, std::string>;

  test::SnapshotBuilder builder_ = with_all();
  std::vector<uint64_t> objects_;
  uint64_t next_root_ = 0x8000;
};

// One word is weak of the two that there are: the global has no other object to compare with, but
// the holder, which has, is an owner.
TEST_F(WeakPaths, GoByOwnersThatAreFurtherAway) {
  const uint64_t held = object(1, 1), other = object(1, 0);
  const uint64_t first = holder(), second = holder();
  builder_.edge(first, second, 0);
  root_pointer(held);
  root(first);
  point(second, held);
  EXPECT_EQ(way(held), (Way{{0}, "."}));  // the counts alone do not tell
  point(first, other);
  EXPECT_EQ(way(held), (Way{{2, 3, 0}, "..."}));
}

TEST_F(WeakPaths, LeadToWhatNothingElseReaches) {
  const uint64_t gone = object(0, 1), below = holder();
  const uint64_t seer = holder();
  builder_.edge(gone, below, 32);
  point(seer, gone);
  root(seer);
  EXPECT_EQ(way(gone), (Way{{2, 0}, ".w"}));
  EXPECT_EQ(way(below), (Way{{2, 0, 1}, ".w."}));
}

TEST_F(WeakPaths, OfGlobalsComeLast) {
  const uint64_t gone = object(0, 2);
  root_pointer(gone);
  EXPECT_EQ(way(gone), (Way{{0}, "w"}));
  builder_.root(GC_REFERENCE_STACK, gone, 1, 0x7ffc0000, 16);  // a plain pointer
  EXPECT_EQ(way(gone), (Way{{0}, "."}));
}

// A list of ten steps has lower addresses than what is two steps away.
TEST_F(WeakPaths, AreShortest) {
  const uint64_t gone = object(0, 2);
  std::vector<uint64_t> far;
  for (int i = 0; i < 10; ++i) far.push_back(holder());
  for (size_t i = 1; i < far.size(); ++i) builder_.edge(far[i], far[i - 1], 0);
  const uint64_t near = holder(), above = holder(), below = holder();
  point(far.front(), gone);
  point(near, gone);
  builder_.edge(above, near, 0).edge(gone, below, 32).edge(far[1], below, 8);
  root(far.back());
  root(above);
  EXPECT_EQ(way(gone), (Way{{12, 11, 0}, "..w"}));
  EXPECT_EQ(way(below).first.size(), 10u);  // no weak_ptr, though it is further
}

// What a weak_ptr leads to goes before what is further away by owners alone.
TEST_F(WeakPaths, AreShortestBehindWeakOnes) {
  const uint64_t next = object(0, 2), first = object(0, 1);
  const uint64_t far = holder(), middle = holder(), seer = holder();
  builder_.edge(seer, middle, 0).edge(middle, far, 0).edge(far, far, 0);
  const uint64_t last = holder();
  builder_.edge(far, last, 8);
  point(last, next);
  point(seer, first);
  point(first, next, 24);
  root(seer);
  EXPECT_EQ(way(next), (Way{{4, 1, 0}, ".ww"}));
}

// The weak_ptr that the counts tell of lies where nobody looks: what was found is the owner.
TEST_F(WeakPaths, AreNotTakenForSuchWhereOneWasNotFound) {
  const uint64_t held = object(1, 1), holder = this->holder();
  point(holder, held);
  root(holder);
  EXPECT_EQ(way(held), (Way{{1, 0}, ".."}));
}

// enable_shared_from_this: the weak one is the object's own.
TEST_F(WeakPaths, AreNotThoseOfObjectsThatKnowThemselves) {
  const uint64_t object = this->object(1, 1), holder = this->holder();
  point(object, object, 16);
  point(holder, object);
  root(holder);
  EXPECT_EQ(way(object), (Way{{1, 0}, ".."}));
}

TEST(WeakWords, AreToldByContainersFunctions) {
  using enum SmartPointer;
  EXPECT_EQ(elements_by_call("std::vector<std::weak_ptr<A>, std::allocator<std::weak_ptr<A> > >::"
                             "push_back(std::weak_ptr<A> const&)"),
            kWeak);
  EXPECT_EQ(elements_by_call("void std::vector<std::weak_ptr<(anonymous namespace)::A> >::"
                             "emplace_back<std::shared_ptr<A>&>(std::shared_ptr<A>&)"),
            kWeak);
  EXPECT_EQ(elements_by_call("std::__new_allocator<std::_Rb_tree_node<std::pair<int const, "
                             "std::shared_ptr<A> > > >::allocate(unsigned long, void const*)"),
            kShared);
  EXPECT_EQ(elements_by_call("std::map<std::weak_ptr<A>, std::shared_ptr<B> >::operator[]"),
            kUnknown);
  EXPECT_EQ(elements_by_call("std::_Function_base::_Base_manager<watch(std::weak_ptr<A>)::"
                             "{lambda()#1}>::_M_create(std::_Any_data&)"),
            kUnknown);
  EXPECT_EQ(elements_by_call("std::make_shared<A>(std::weak_ptr<A>&)"), kUnknown);
  EXPECT_EQ(elements_by_call(""), kUnknown);
}

}  // namespace
}  // namespace heaprake::cli
