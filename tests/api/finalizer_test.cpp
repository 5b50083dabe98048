// Finalizers, in the order of PEP 442. Each test quotes what it mirrors: Python 3.11's
// documentation, or the proposal.
#include <sys/wait.h>
#include <unistd.h>

#include "finalizer_steps.h"

namespace {

Node* volatile rescued;

// "object.__del__(self): Called when the instance is about to be destroyed." Once, and with the
// block still there.
TEST_F(Finalizer, RunsOnceBeforeTheBlockGoes) {
  collect();
  const gc_id_t id = lose_with(
      [](void* block, void*) {
        journal += gc_object_exists(gc_id(block)) ? "there " : "gone ";
        static_cast<Node*>(block)->payload[0] = 1;
      },
      nullptr);
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(journal, "there ");
  EXPECT_FALSE(gc_object_exists(id));
  EXPECT_EQ(collect(), 0u);
  EXPECT_EQ(journal, "there ");
  EXPECT_EQ(gc::get_stats().finalizers_run, 1u);
  EXPECT_EQ(gc::get_stats().finalizers_waiting, 0u);
}

STEP void lose_chain() {
  Node* volatile last = new Node;
  gc_set_finalizer(last, write_name, named("c"));
  Node* volatile middle = new Node;
  gc_set_finalizer(middle, write_name, named("b"));
  Node* volatile first = new Node;
  gc_set_finalizer(first, write_name, named("a"));
  first->other = middle;
  middle->other = last;
}

// PEP 442: "The finalizers of all CI objects are called." All of a chain in one collection, and
// here the referrer first.
TEST_F(Finalizer, AChainRunsFromItsHead) {
  collect();
  lose_chain();
  EXPECT_EQ(collect(), 3u);
  EXPECT_EQ(journal, "abc");
}

STEP void lose_in_order() {
  for (const char* name : {"1", "2", "3", "4"}) lose_with(write_name, named(name));
}

TEST_F(Finalizer, UnrelatedOnesRunInTheOrderInWhichTheyWereSet) {
  lose_in_order();
  EXPECT_EQ(collect(), 4u);
  EXPECT_EQ(journal, "1234");
}

STEP void lose_cycle_with_tail(gc_finalizer fn) {
  Node* volatile a = new Node;
  Node* volatile b = new Node;
  Node* volatile tail = new Node;
  gc_set_finalizer(a, fn, named("a"));
  gc_set_finalizer(b, fn, named("b"));
  gc_set_finalizer(tail, fn, named("t"));
  a->other = b;
  b->other = a;
  *reinterpret_cast<Node**>(b->payload) = tail;
}

// PEP 442: "objects in a reference cycle with a finalizer are collected": unlike __del__ before
// Python 3.4, each runs, each once.
TEST_F(Finalizer, ACycleRunsAllOnceAndGoes) {
  collect();
  lose_cycle_with_tail(write_name);
  EXPECT_EQ(collect(), 3u);
  EXPECT_EQ(journal, "abt");
}

void check_other(void* block, void* name) {
  auto* node = static_cast<Node*>(block);
  journal += static_cast<const char*>(name);
  if (node->other) journal += gc_object_exists(gc_id(node->other)) ? "+" : "-";
}

// PEP 442: "all the objects are still alive and usable" while finalizers run.
TEST_F(Finalizer, WhatABlockLeadsToIsStillThere) {
  lose_cycle_with_tail(check_other);
  EXPECT_EQ(collect(), 3u);
  EXPECT_EQ(journal, "a+b+t");
}

void rescue(void* block, void*) {
  journal += "r";
  rescued = static_cast<Node*>(block);
}

STEP gc_id_t lose_to_be_rescued(gc_id_t* child) {
  Node* volatile p = new Node;
  p->other = new Node;
  gc_set_finalizer(p, rescue, nullptr);
  *child = gc_id(p->other);
  gc_id_t id = gc_id(p);
  p = nullptr;
  return id;
}

STEP bool rescued_is_finalized() {
  return gc_is_finalized(rescued);
}
STEP void drop_rescued() {
  rescued = nullptr;
}

// "gc.is_finalized(obj): Returns True if the given object has been finalized by the garbage
// collector, False otherwise. >>> ... self here is a new reference: is_finalized(x) True".
// PEP 442: an object that was resurrected lives; its finalizer is not called again.
TEST_F(Finalizer, ResurrectionKeepsAndIsFinalizedStaysTrue) {
  collect();
  gc_id_t child;
  const gc_id_t id = lose_to_be_rescued(&child);
  EXPECT_EQ(collect(), 0u);
  EXPECT_TRUE(gc_object_exists(id));
  EXPECT_TRUE(gc_object_exists(child));
  EXPECT_TRUE(rescued_is_finalized());
  EXPECT_EQ(collect(), 0u);
  EXPECT_TRUE(rescued_is_finalized());
  wipe_stack();
  drop_rescued();
  EXPECT_EQ(collect(), 2u);
  EXPECT_FALSE(gc_object_exists(id));
  EXPECT_EQ(journal, "r");
}

STEP gc_id_t refuse_second() {
  const bool again = gc_set_finalizer(rescued, write_name, named("x"));
  EXPECT_FALSE(again);
  EXPECT_EQ(errno, EALREADY);
  return gc_id(rescued);
}

TEST_F(Finalizer, ThereIsNoSecondOneAfterResurrection) {
  gc_id_t child;
  lose_to_be_rescued(&child);
  collect();
  refuse_second();
}

STEP void allocate_and_lose(size_t bytes) {
  for (size_t done = 0; done < bytes; done += 4096) {
    char* volatile p = static_cast<char*>(std::malloc(4096));
    p[0] = 1;
  }
}

size_t told;

// Automatic collections happen inside malloc: they leave finalizers waiting, and say so.
TEST_F(Finalizer, AutomaticCollectionsLeaveThemToTheProgram) {
  gc_add_callback(
      [](gc_phase phase, const gc_info* info, void*) {
        if (phase == GC_PHASE_STOP && info->automatic) told = info->finalizers;
      },
      nullptr);
  const gc_id_t id = lose_with(write_name, named("f"));
  wipe_stack();
  gc_set_threshold(1 << 20, 0);
  gc_enable();
  allocate_and_lose(8 << 20);
  gc_disable();
  EXPECT_EQ(journal, "");
  EXPECT_EQ(told, 1u);
  EXPECT_EQ(gc::get_stats().finalizers_waiting, 1u);
  EXPECT_TRUE(gc_object_exists(id));
  EXPECT_EQ(gc_run_finalizers(), 1u);
  EXPECT_EQ(journal, "f");
  EXPECT_EQ(gc_run_finalizers(), 0u);
  collect();
  EXPECT_FALSE(gc_object_exists(id));
}

TEST_F(Finalizer, CollectRunsThoseThatWait) {
  lose_with(write_name, named("f"));
  wipe_stack();
  gc_set_threshold(1 << 20, 0);
  gc_enable();
  allocate_and_lose(8 << 20);
  gc_disable();
  EXPECT_GE(collect(), 1u);
  EXPECT_EQ(journal, "f");
}

STEP void set_and_free() {
  Node* volatile p = new Node;
  gc_set_finalizer(p, write_name, named("x"));
  delete p;
  // Perhaps the same place.
  p = new Node;
  p = nullptr;
}

TEST_F(Finalizer, AFreedBlockHasNone) {
  set_and_free();
  collect();
  EXPECT_EQ(journal, "");
}

STEP void set_and_take_back() {
  Node* volatile p = new Node;
  EXPECT_TRUE(gc_set_finalizer(p, write_name, named("x")));
  EXPECT_TRUE(gc_set_finalizer(p, nullptr, nullptr));
  EXPECT_TRUE(gc_set_finalizer(p, nullptr, nullptr));
  p = nullptr;
}

TEST_F(Finalizer, NullTakesItBack) {
  collect();
  set_and_take_back();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(journal, "");
}

STEP void lose_grown() {
  void* volatile p = std::malloc(40);
  gc_set_finalizer(p, write_name, named("g"));
  p = std::realloc(p, 200'000);
  p = std::realloc(p, 3 << 20);
  p = std::realloc(p, 60 << 20);
  p = std::realloc(p, 100);
  p = nullptr;
}

TEST_F(Finalizer, ReallocKeepsIt) {
  lose_grown();
  EXPECT_GE(collect(), 1u);
  EXPECT_EQ(journal, "g");
}

gc_id_t id_of_arg;

STEP void lose_with_block_as_argument() {
  Node* volatile arg = new Node;
  id_of_arg = gc_id(arg);
  lose_with([](void*, void* arg) { journal += gc_id(arg) == id_of_arg ? "same" : "other"; }, arg);
  arg = nullptr;
}

// "weakref.finalize: ... It is important to ensure that func, args and kwargs do not own any
// references to obj": they are kept until it has run.
TEST_F(Finalizer, TheArgumentIsKeptUntilItHasRun) {
  collect();
  lose_with_block_as_argument();
  collect();
  EXPECT_EQ(journal, "same");
  collect();
  EXPECT_FALSE(gc_object_exists(id_of_arg));
}

STEP gc_id_t lose_with_itself_as_argument() {
  Node* volatile p = new Node;
  gc_set_finalizer(p, write_name, p->payload);
  p->payload[0] = 's';
  gc_id_t id = gc_id(p);
  p = nullptr;
  return id;
}

TEST_F(Finalizer, AnArgumentInTheBlockItselfKeepsNothing) {
  const gc_id_t id = lose_with_itself_as_argument();
  collect();
  EXPECT_EQ(journal, "s");
  EXPECT_FALSE(gc_object_exists(id));
}

size_t nested = 99;

TEST_F(Finalizer, ANestedCollectReturnsZero) {
  lose_with([](void*, void*) { nested = gc_collect() + gc_run_finalizers(); }, nullptr);
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(nested, 0u);
}

struct Member {
  explicit Member(const char* n) : name(n) {}
  ~Member() { journal += name; }
  const char* name;
};
struct Owner {
  explicit Owner(Member* m) : member(m) {}
  ~Owner() {
    journal += "owner(";
    journal += member->name;
    journal += ")";
  }
  Member* member;
};

STEP void lose_made() {
  Owner* volatile owner = gc::make<Owner>(gc::make<Member>("member"));
  EXPECT_TRUE(std::string(gc::type(owner)).ends_with("Owner"));
  owner = nullptr;
}

TEST_F(Finalizer, MakeRunsDestructorsTheOwnersFirst) {
  lose_made();
  EXPECT_EQ(collect(), 2u);
  EXPECT_EQ(journal, "owner(member)member");
}

STEP void delete_made() {
  Member* volatile p = gc::make<Member>("once");
  delete p;
}

TEST_F(Finalizer, DeleteDestroysAMadeObjectOnce) {
  delete_made();
  collect();
  EXPECT_EQ(journal, "once");
}

pid_t forked = -1;

void fork_here(void*, void*) {
  forked = fork();
}

// In the child the collection goes on as in its parent.
TEST_F(Finalizer, OneThatForksLeavesTwoWholeCollections) {
  lose_with(fork_here, nullptr);
  gc_stats before{}, after{};
  gc_get_stats(&before);
  const size_t collected = gc_collect();
  gc_get_stats(&after);
  const bool whole = collected == 1 && after.given_up <= before.given_up;
  if (forked == 0) _exit(whole ? 0 : 1);
  EXPECT_TRUE(whole) << collected;
  int status = -1;
  ASSERT_EQ(waitpid(forked, &status, 0), forked);
  EXPECT_EQ(status, 0);
}

STEP void lose_saved() {
  lose_with(write_name, named("f"));
}

// "DEBUG_SAVEALL: ... appended to garbage rather than being freed": after their finalizers ran.
TEST_F(Finalizer, SaveallKeepsWhatHasBeenFinalized) {
  collect();
  gc_set_debug(GC_DEBUG_SAVEALL);
  lose_saved();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(journal, "f");
  EXPECT_EQ(gc_garbage(nullptr, 0), 1u);
  gc_set_debug(0);
  gc_clear_garbage();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(journal, "f");
}

STEP void build_large_garbage() {
  auto* volatile p = static_cast<void**>(std::calloc(1, 32 << 20));
  Node* child = new Node;
  gc_set_finalizer(child, write_name, named("c"));
  p[(16 << 20) / sizeof(void*)] = child;
  gc_set_finalizer(p, write_name, named("p"));
  p = nullptr;
}

TEST_F(Finalizer, ALargeBlockLeadsOn) {
  build_large_garbage();
  EXPECT_GE(collect(), 2u);
  EXPECT_EQ(journal, "pc");
}

}  // namespace
