// Weak references. Each test quotes the row of Python 3.11's documentation of weakref.ref that it
// mirrors.
#include <atomic>
#include <thread>
#include <vector>

#include "steps.h"

namespace {

using Weak = Gc;

gc_weak* weak;
Node* volatile root;

STEP void build() {
  root = new Node;
  weak = gc_weak_new(root);
}
STEP void drop() {
  root = nullptr;
}
STEP bool is_root() {
  return gc_weak_get(weak) == root;
}
STEP bool is_gone() {
  return gc_weak_get(weak) == nullptr;
}

// "weakref.ref(object[, callback]): Return a weak reference to object. The original object can be
// retrieved by calling the reference object if the referent is still alive; if the referent is no
// longer alive, calling the reference object will cause None to be returned."
TEST_F(Weak, GetsTheBlockUntilItIsReclaimed) {
  collect();
  build();
  EXPECT_TRUE(is_root());
  EXPECT_EQ(collect(), 0u);
  EXPECT_TRUE(is_root());
  wipe_stack();
  drop();
  EXPECT_EQ(collect(), 1u);
  EXPECT_TRUE(is_gone());
  EXPECT_TRUE(gc_weak_free(weak));
}

// "A weak reference to an object is not enough to keep the object alive", and is no reference.
TEST_F(Weak, DoesNotCount) {
  build();
  wipe_stack();
  EXPECT_EQ(gc_refcount(gc_id(const_cast<Node*>(root))), 1u);
}

STEP bool same_twice() {
  gc_weak* again = gc_weak_new(root);
  const bool same = again == weak;
  gc_weak_free(again);
  return same;
}

// "ref1 is ref2": the same one for the same object.
TEST_F(Weak, TheSameForTheSameAddress) {
  build();
  EXPECT_TRUE(same_twice());
  EXPECT_TRUE(is_root());
  EXPECT_TRUE(gc_weak_free(weak));
  EXPECT_FALSE(gc_weak_free(weak));
  EXPECT_EQ(gc_weak_get(weak), nullptr);
}

STEP void free_root() {
  std::free(root);
}

// "If the referent is no longer alive": also when the program has freed it, and something else lies
// there.
TEST_F(Weak, IsClearedByFree) {
  build();
  free_root();
  EXPECT_TRUE(is_gone());
  root = new Node;
  EXPECT_TRUE(is_gone());
  EXPECT_TRUE(gc_weak_free(weak));
}

STEP void grow_root(size_t size) {
  root = static_cast<Node*>(std::realloc(root, size));
}

TEST_F(Weak, FollowsRealloc) {
  build();
  grow_root(100'000);
  EXPECT_TRUE(is_root());
  grow_root(64);
  EXPECT_TRUE(is_root());
}

STEP gc_weak* weak_to_inside(size_t offset) {
  return gc_weak_new(reinterpret_cast<char*>(root) + offset);
}
STEP bool gets_inside(gc_weak* inside, size_t offset) {
  return gc_weak_get(inside) == reinterpret_cast<char*>(root) + offset;
}

TEST_F(Weak, MayReferInside) {
  build();
  gc_weak* inside = weak_to_inside(40);
  EXPECT_NE(inside, weak);
  EXPECT_TRUE(gets_inside(inside, 40));
  grow_root(100'000);
  EXPECT_TRUE(gets_inside(inside, 40));
  // The block now ends before it.
  grow_root(16);
  EXPECT_EQ(gc_weak_get(inside), nullptr);
  EXPECT_TRUE(gc_weak_free(inside));
  EXPECT_TRUE(is_root());
}

void* volatile strong;

STEP void get_strong() {
  strong = gc_weak_get(weak);
}

TEST_F(Weak, WhatItGivesKeepsTheBlock) {
  collect();
  build();
  get_strong();
  wipe_stack();
  drop();
  EXPECT_EQ(collect(), 0u);
  EXPECT_FALSE(is_gone());
  wipe_stack();
  strong = nullptr;
  EXPECT_EQ(collect(), 1u);
}

STEP void build_finalized() {
  build();
  gc_set_finalizer(
      root, [](void*, void*) { strong = gc_weak_get(weak); }, nullptr);
}

// Cleared after finalizers had their chance: a finalizer may save its block by one.
TEST_F(Weak, SurvivesResurrection) {
  collect();
  build_finalized();
  wipe_stack();
  drop();
  EXPECT_EQ(collect(), 0u);
  EXPECT_FALSE(is_gone());
  wipe_stack();
  strong = nullptr;
  EXPECT_EQ(collect(), 1u);
  EXPECT_TRUE(is_gone());
}

STEP void build_many(std::vector<gc::weak<Node>>* references, std::vector<Node*>* kept) {
  for (int i = 0; i < 20000; ++i) {
    Node* node = new Node;
    references->emplace_back(node);
    if (i % 2) kept->push_back(node);
  }
}

TEST_F(Weak, ManyAtOnce) {
  std::vector<gc::weak<Node>> references;
  std::vector<Node*> kept;
  build_many(&references, &kept);
  EXPECT_GE(collect(), 9990u);
  size_t alive = 0;
  for (size_t i = 1; i < references.size(); i += 2) alive += references[i].get() == kept[i / 2];
  EXPECT_EQ(alive, kept.size());
  size_t gone = 0;
  for (size_t i = 0; i < references.size(); i += 2) gone += references[i].expired();
  EXPECT_GE(gone, 9990u);
  std::vector<gc::weak<Node>> copies = references;
  EXPECT_EQ(copies[1].get(), kept[0]);
  for (Node* node : kept) delete node;
  EXPECT_TRUE(copies[1].expired());
}

// Threads that drop, free, resurrect and look, while one collects: whatever get() gives is whole.
struct Shared {
  std::atomic<gc_weak*> slots[64] = {};
  std::atomic<bool> stop{false};
  std::atomic<size_t> seen{0}, broken{0};
};
Shared shared;
constexpr size_t kMagic = 0x1234567;

STEP void replace(size_t i) {
  auto* block = static_cast<size_t*>(std::malloc(64));
  block[0] = block[7] = kMagic + i;
  gc_weak* fresh = gc_weak_new(block);
  shared.slots[i].store(fresh);
}

STEP void look(size_t i) {
  auto* block = static_cast<size_t*>(gc_weak_get(shared.slots[i].load()));
  if (!block) return;
  for (int turn = 0; turn < 20; ++turn) {
    if (block[0] != kMagic + i || block[7] != kMagic + i) shared.broken++;
  }
  shared.seen++;
}

TEST_F(Weak, ThreadsAndCollections) {
  for (size_t i = 0; i < 64; ++i) replace(i);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 2; ++t) {
    threads.emplace_back([] {
      while (!shared.stop) {
        for (size_t i = 0; i < 64; ++i) look(i);
      }
    });
  }
  for (int turn = 0; turn < 100; ++turn) {
    collect();
    for (size_t i = 0; i < 64; ++i) {
      gc_weak* old = shared.slots[i].load();
      if (!gc_weak_get(old)) replace(i);
    }
  }
  shared.stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(shared.broken, 0u);
  EXPECT_GT(shared.seen, 0u);
}

}  // namespace
