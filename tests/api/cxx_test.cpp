// What gc.hpp adds to gc.h: allocators, memory resources, weak pointers as values.
#include <list>
#include <map>
#include <memory_resource>
#include <numeric>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "steps.h"

namespace {

using Cxx = Gc;

struct alignas(64) Wide {
  int n;
};

TEST_F(Cxx, ContainersUseTheAllocators) {
  std::vector<int, gc::allocator<int>> numbers;
  for (int i = 0; i < 1000; ++i) numbers.push_back(i);
  EXPECT_EQ(numbers[999], 999);
  EXPECT_TRUE(gc_is_tracked(numbers.data()));
  EXPECT_TRUE(std::string(gc::type(numbers.data())).starts_with("int"));
  std::map<int, int, std::less<>, gc::allocator<std::pair<const int, int>>> map;
  map[1] = 2;
  EXPECT_EQ(map.at(1), 2);
  std::vector<Wide, gc::allocator<Wide>> wide(3);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(wide.data()) % 64, 0u);
  std::vector<double, gc::leaf_allocator<double>> leaves(100, 1.5);
  EXPECT_FALSE(gc_is_tracked(leaves.data()));
  EXPECT_TRUE(gc_id(leaves.data()));
  EXPECT_EQ(leaves[99], 1.5);
  std::vector<char, gc::leaf_allocator<char>> copied(leaves.size(), 'x', leaves.get_allocator());
  EXPECT_EQ(copied.size(), 100u);
  EXPECT_EQ(gc::allocator<int>(), gc::allocator<char>());
}

using Leaves = std::list<int, gc::leaf_allocator<int>>;
Leaves* volatile leaves;

STEP void fill() {
  leaves = new Leaves;
  for (int i = 0; i < 1000; ++i) leaves->push_back(i);
}

TEST_F(Cxx, NodesAreNoLeavesWhateverTheyCarry) {
  fill();
  EXPECT_TRUE(gc_is_tracked(leaves));
  collect();
  EXPECT_EQ(std::accumulate(leaves->begin(), leaves->end(), 0), 999 * 1000 / 2);
  delete leaves;
  leaves = nullptr;
}

int living = 0;
struct Counted {
  Counted() { ++living; }
  Counted(const Counted&) { ++living; }
  ~Counted() { --living; }
};

STEP void set_and_free() {
  void* volatile p = malloc(48);
  EXPECT_TRUE(gc::set_finalizer(p, [kept = Counted()](void*) {}));
  EXPECT_TRUE(gc::set_finalizer(p, [kept = Counted()](void*) {}));
  EXPECT_EQ(living, 2);
  free(p);
}

TEST_F(Cxx, FinalizersThatNeverRunAreDestroyed) {
  set_and_free();
  collect();
  EXPECT_EQ(living, 0);
}

TEST_F(Cxx, AMemoryResourceNamesItsBlocks) {
  gc::memory_resource resource("table");
  std::pmr::vector<int> numbers(100, 7, &resource);
  EXPECT_STREQ(gc::type(numbers.data()), "table");
  std::pmr::set<int> set({1, 2, 3}, &resource);
  EXPECT_EQ(set.count(2), 1u);
  gc::memory_resource other;
  EXPECT_FALSE(resource == other);
  EXPECT_TRUE(resource == resource);
}

Node* volatile root;

STEP void build(gc::weak<Node>* out) {
  root = gc::make<Node>();
  *out = gc::weak<Node>(root);
}

TEST_F(Cxx, WeakPointersAreValues) {
  collect();
  gc::weak<Node> none, weak;
  EXPECT_TRUE(none.expired());
  EXPECT_TRUE(gc::weak<Node>(nullptr).expired());
  build(&weak);
  gc::weak<Node> copy = weak;
  gc::weak<Node> moved = std::move(copy);
  copy = moved;
  EXPECT_FALSE(copy.expired());
  EXPECT_FALSE(moved.expired());
  wipe_stack();
  root = nullptr;
  EXPECT_EQ(collect(), 1u);
  EXPECT_TRUE(weak.expired());
  EXPECT_TRUE(copy.expired());
  copy = none;
  EXPECT_TRUE(copy.expired());
}

struct Point {
  int x, y;
};
template <class T>
struct Box {};

TEST_F(Cxx, TypesHaveNames) {
  EXPECT_STREQ(gc::type_name<int>, "int");
  EXPECT_NE(std::string(gc::type_name<Box<Point>>).find("Point>"), std::string::npos);
  Point* point = gc::make<Point>(1, 2);
  EXPECT_EQ(point->y, 2);
  EXPECT_TRUE(std::string(gc::type(point)).ends_with("Point"));
  delete point;
}

struct Throws {
  Throws() { throw 1; }
  char payload[1000];
};

TEST_F(Cxx, AConstructorThatThrowsLeavesNothing) {
  EXPECT_ANY_THROW((void)gc::make<Throws>());
  for (const gc::object& object : gc::objects()) {
    const char* type = gc::type(object.address);
    EXPECT_FALSE(type && std::string(type).ends_with("Throws"));
  }
}

TEST_F(Cxx, DisableScopesNest) {
  gc_enable();
  {
    gc::disable_scope outer;
    gc::disable_scope inner;
    EXPECT_FALSE(gc::isenabled());
  }
  EXPECT_TRUE(gc::isenabled());
}

TEST_F(Cxx, IdsPrint) {
  std::ostringstream text;
  text << gc::id(0xfedcu);
  EXPECT_EQ(text.str(), "0x000000000000fedc");
}

}  // namespace
