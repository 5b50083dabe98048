// Destructors (gc_set_destructor, gc::make): after one there is nothing left to save, so weak
// references are cleared before it. CPython's collector does the same: "Clear weakrefs and invoke
// callbacks as necessary" comes before "Call tp_finalize on objects which have one", so that no
// weak reference leads to an object whose destruction has begun.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <semaphore>
#include <thread>

#include "steps.h"

namespace {

using Destructor = Gc;

size_t destroyed;

struct Made {
  ~Made() { destroyed++; }
  Made* made = nullptr;
  Node* plain = nullptr;
};

gc::weak<Made> weak;
gc::weak<Made> weak_child;
gc::weak<Node> weak_plain;
Made* volatile kept;

STEP void lose_made() {
  weak = gc::weak<Made>(gc::make<Made>());
}

STEP void allocate_and_lose(size_t bytes) {
  for (size_t done = 0; done < bytes; done += 4096) {
    char* volatile p = static_cast<char*>(std::malloc(4096));
    p[0] = 1;
  }
}

// In a frame of its own: the address that it looks at must not stay in the test's.
STEP bool is_gone(const gc::weak<Made>& reference) {
  return reference.expired();
}

// An automatic collection, which runs nothing: what it has found waits.
STEP void collect_automatically() {
  wipe_stack();
  gc_set_threshold(1 << 20, 0);
  gc_enable();
  allocate_and_lose(8 << 20);
  gc_disable();
}

TEST_F(Destructor, WeakReferencesAreClearedWhenItIsDue) {
  lose_made();
  collect_automatically();
  EXPECT_EQ(gc::get_stats().finalizers_waiting, 1u);
  EXPECT_EQ(destroyed, 0u);
  EXPECT_TRUE(weak.expired());
  // A second collection before it has run changes nothing.
  collect_automatically();
  EXPECT_EQ(gc::get_stats().finalizers_waiting, 1u);
  EXPECT_EQ(gc::run_finalizers(), 1u);
  EXPECT_EQ(destroyed, 1u);
  EXPECT_TRUE(weak.expired());
}

STEP void keep_it() {
  kept = weak.get();
}
STEP void drop_it() {
  kept = nullptr;
}

TEST_F(Destructor, WhatAWeakReferenceHasGivenIsNotDestroyed) {
  lose_made();
  keep_it();
  collect();
  EXPECT_EQ(destroyed, 0u);
  EXPECT_FALSE(weak.expired());
  wipe_stack();
  drop_it();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(destroyed, 1u);
}

STEP void lose_family() {
  Made* volatile parent = gc::make<Made>();
  parent->made = gc::make<Made>();
  parent->plain = new Node;
  parent->plain->other = reinterpret_cast<Node*>(const_cast<Made*>(parent));
  weak = gc::weak<Made>(parent);
  weak_child = gc::weak<Made>(parent->made);
  weak_plain = gc::weak<Node>(parent->plain);
  parent = nullptr;
}

// "All unreachable objects": also those that lead to a destroyed one, or that its destructor may
// delete.
TEST_F(Destructor, WhatItLeadsToAndWhatLeadsToItIsNotToBeHadEither) {
  collect();
  lose_family();
  collect_automatically();
  EXPECT_EQ(gc::get_stats().finalizers_waiting, 2u);
  EXPECT_TRUE(weak.expired());
  EXPECT_TRUE(weak_child.expired());
  EXPECT_TRUE(weak_plain.expired());
  EXPECT_EQ(gc::run_finalizers(), 2u);
  EXPECT_GE(collect(), 3u);
  EXPECT_EQ(destroyed, 2u);
}

STEP void lose_parent_of_kept() {
  Made* volatile parent = gc::make<Made>();
  parent->made = gc::make<Made>();
  weak = gc::weak<Made>(parent);
  weak_child = gc::weak<Made>(parent->made);
  kept = parent->made;
  parent = nullptr;
}

// A child that the program still had when its parent was found, and drops before the parent is
// destroyed: it lives until then, and its turn comes with a later collection.
TEST_F(Destructor, AChildThatWasInUseLivesUntilItsParentIsDestroyed) {
  collect();
  lose_parent_of_kept();
  collect_automatically();
  EXPECT_TRUE(is_gone(weak));
  EXPECT_FALSE(is_gone(weak_child));
  wipe_stack();
  drop_it();
  collect_automatically();
  EXPECT_FALSE(is_gone(weak_child));
  EXPECT_EQ(gc::run_finalizers(), 1u);
  EXPECT_FALSE(is_gone(weak_child));
  collect_automatically();
  EXPECT_TRUE(is_gone(weak_child));
  EXPECT_EQ(gc::run_finalizers(), 1u);
  EXPECT_EQ(destroyed, 2u);
}

gc_weak* late = reinterpret_cast<gc_weak*>(1);
int late_error;

STEP void lose_with_late_reference() {
  Node* volatile p = new Node;
  gc_set_destructor(
      p,
      [](void* block, void*) {
        errno = 0;
        late = gc_weak_new(block);
        late_error = errno;
        kept = static_cast<Made*>(block);
      },
      nullptr);
  p = nullptr;
}

STEP bool no_more_weak_references() {
  return gc_weak_new(kept) == nullptr && errno == EALREADY;
}

TEST_F(Destructor, NoWeakReferenceIsMadeOnceItIsDue) {
  lose_with_late_reference();
  collect();
  EXPECT_EQ(late, nullptr);
  EXPECT_EQ(late_error, EALREADY);
  EXPECT_TRUE(no_more_weak_references());
  wipe_stack();
  drop_it();
  EXPECT_EQ(collect(), 1u);
}

STEP void lose_with_finalizer_in_its_place() {
  Node* volatile p = new Node;
  gc_set_destructor(
      p, [](void*, void*) { destroyed += 100; }, nullptr);
  gc_set_finalizer(
      p, [](void*, void*) { destroyed++; }, nullptr);
  weak_plain = gc::weak<Node>(p);
  p = nullptr;
}

// There is one for each block: the last to be set. A finalizer's weak references last longer.
TEST_F(Destructor, AFinalizerReplacesIt) {
  collect();
  lose_with_finalizer_in_its_place();
  collect_automatically();
  EXPECT_FALSE(weak_plain.expired());
  EXPECT_GE(collect(), 1u);
  EXPECT_EQ(destroyed, 1u);
  EXPECT_TRUE(weak_plain.expired());
}

STEP void take_back() {
  Node* volatile p = new Node;
  EXPECT_TRUE(gc_set_destructor(
      p, [](void*, void*) { destroyed++; }, nullptr));
  EXPECT_TRUE(gc_set_destructor(p, nullptr, nullptr));
  p = nullptr;
}

TEST_F(Destructor, NullTakesItBack) {
  collect();
  take_back();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(destroyed, 0u);
}

// Threads that look through weak references while another one collects.
struct Watched {
  ~Watched() { dead = 1; }
  std::atomic<int> dead{0};
  Watched* itself = this;
};
constexpr size_t kWatched = 64;
gc::weak<Watched> watched[kWatched];

STEP void make_watched(size_t i) {
  watched[i] = gc::weak<Watched>(gc::make<Watched>());
}

// What is got: 0 nothing, 1 an object that lives for as long as it is held, 2 another.
STEP int look_at(size_t i) {
  const Watched* p = watched[i].get();
  if (!p) return 0;
  for (int turn = 0; turn < 100; turn++) {
    if (p->dead) return 2;
  }
  return 1;
}

TEST_F(Destructor, NoThreadEverSeesADestroyedObject) {
  for (size_t i = 0; i < kWatched; i++) make_watched(i);
  std::atomic<bool> stop{false};
  std::thread collector([&] {
    while (!stop) gc_collect();
  });
  size_t seen[3] = {};
  for (size_t turn = 0; turn < 20000; turn++) {
    const int what = look_at(turn % kWatched);
    seen[what]++;
    if (what == 0) make_watched(turn % kWatched);
  }
  stop = true;
  collector.join();
  EXPECT_EQ(seen[2], 0u);
  EXPECT_GT(seen[1], 0u);
}

std::binary_semaphore inside{0}, leave{0};

struct Slow {
  ~Slow() {
    runs++;
    inside.release();
    leave.acquire();
  }
  size_t runs = 0;
};
gc_id_t slow;

STEP void make_and_delete() {
  Slow* volatile p = gc::make<Slow>();
  slow = gc_id(p);
  delete p;
}

STEP size_t runs_of_slow() {
  const auto* p = static_cast<const Slow*>(gc_address(slow));
  return p ? p->runs : 1;
}

// The thread that deletes does not exist in the child, so nothing refers to the object there; but
// its destructor has begun.
TEST_F(Destructor, AChildForkedInTheMiddleOfADeleteDestroysNothingTwice) {
  std::thread deleter(make_and_delete);
  inside.acquire();
  const pid_t child = fork();
  if (child == 0) {
    leave.release(8);
    for (int turn = 0; turn < 3 && runs_of_slow() == 1; turn++) collect();
    _exit(runs_of_slow() == 1 ? 0 : 1);
  }
  leave.release();
  deleter.join();
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

STEP bool child_destroys_its_own() {
  lose_made();
  return collect() >= 1 && destroyed == 1;
}

TEST_F(Destructor, AChildThatTakesThemBackHasNoneWaiting) {
  lose_made();
  collect_automatically();
  EXPECT_EQ(gc::get_stats().finalizers_waiting, 1u);
  std::thread waiter([] { inside.acquire(); });
  const pid_t child = fork();
  if (child == 0) _exit(static_cast<int>(gc::get_stats().finalizers_waiting));
  inside.release();
  waiter.join();
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

// Objects of its own are destroyed as anywhere.
TEST_F(Destructor, AForkedChildDestroysWhatItHasMade) {
  std::thread waiter([] { inside.acquire(); });
  const pid_t child = fork();
  if (child == 0) _exit(child_destroys_its_own() ? 0 : 1);
  inside.release();
  waiter.join();
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

STEP bool child_destroys_inherited() {
  return collect() >= 1 && destroyed == 1;
}

// Where nobody else can have been at work on them, inherited ones are, too.
TEST_F(Destructor, AChildOfASingleThreadDestroysWhatItInherited) {
  lose_made();
  const pid_t child = fork();
  if (child == 0) _exit(child_destroys_inherited() ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

pid_t child_of_callback = 0;

void fork_once(gc_phase, const gc_info*, void*) {
  if (child_of_callback == 0 && (child_of_callback = fork()) == 0) child_of_callback = -1;
}

STEP int destroyed_soon() {
  for (int turn = 0; turn < 3 && destroyed == 0; turn++) collect();
  return destroyed == 1 ? 0 : 1;
}

// A callback is called with no lock held, and the collection goes on in the child as well.
TEST_F(Destructor, AChildOfACallbackDestroysWhatItInherited) {
  lose_made();
  ASSERT_TRUE(gc_add_callback(fork_once, nullptr));
  collect();
  EXPECT_EQ(gc::get_stats().given_up, 0u);
  EXPECT_EQ(destroyed_soon(), 0);
  if (child_of_callback == -1) _exit(HasFailure());
  int status = -1;
  waitpid(child_of_callback, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
