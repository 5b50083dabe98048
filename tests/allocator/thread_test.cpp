// Threads come and go; their blocks stay, their memory is used again.
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "heap_fixture.h"

namespace {

class Threads : public Heap {};

pthread_key_t key;
std::atomic<int> destructors_run{0};

// Allocates in every round of destructors that there is.
void in_tsd_destructor(void* value) {
  auto round = reinterpret_cast<uintptr_t>(value);
  void* p = heap::allocate(50);
  std::memset(p, 1, 50);
  heap::release(p);
  void* large = heap::allocate(100000);
  heap::release(large);
  ++destructors_run;
  if (round > 1) pthread_setspecific(key, reinterpret_cast<void*>(round - 1));
}

struct InThreadLocal {
  void* p = heap::allocate(200);
  ~InThreadLocal() {
    heap::release(p);
    heap::release(heap::allocate(3000));
    ++destructors_run;
  }
};
thread_local InThreadLocal in_thread_local;

struct Inheritance {
  std::vector<void*> blocks;
};

// One short life: what it leaves behind goes into `left`.
void live(int i, Inheritance* left) {
  pthread_setspecific(key, reinterpret_cast<void*>(1 + i % 4));
  static_cast<char*>(in_thread_local.p)[0] = 1;
  std::vector<void*> mine;
  for (int k = 0; k < 20; ++k) mine.push_back(heap::allocate(16 + 40 * k));
  auto* kept = static_cast<int*>(heap::allocate(64));
  *kept = i;
  left->blocks.push_back(kept);
  for (void* p : mine) heap::release(p);
}

TEST_F(Threads, TenThousandShortLives) {
  ASSERT_EQ(pthread_key_create(&key, in_tsd_destructor), 0);
  constexpr int kThreads = 10000;
  constexpr int kWave = 4;
  Inheritance left[kWave];
  size_t committed_early = 0;
  for (int i = 0; i < kThreads; i += kWave) {
    std::vector<std::thread> wave;
    for (int k = 0; k < kWave; ++k) wave.emplace_back([&, k, i] { live(i + k, &left[k]); });
    for (auto& thread : wave) thread.join();
    for (auto& each : left) {
      // The heirs: blocks of threads that are gone are found, intact, and can be freed by us.
      for (void* p : each.blocks) {
        heap::Block block = heap::find_block(address_of(p) + 30);
        ASSERT_EQ(block.address, address_of(p));
        ASSERT_EQ(block.size, 64u);
        ASSERT_EQ(*static_cast<int*>(p) / kWave, i / kWave);
        heap::release(p);
      }
      each.blocks.clear();
    }
    if (i == 1000) committed_early = heap::usage().committed;
  }
  EXPECT_TRUE(all_blocks().empty());
  EXPECT_GT(destructors_run, 2 * kThreads);
  EXPECT_LE(heap::usage().committed, 2 * committed_early + (64u << 20));
}

TEST_F(Threads, BlocksOfTheDeadSurviveAThreadWithTheSameAddress) {
  // glibc gives the next thread the last one's stack, and with it the address that mimalloc takes
  // for the thread's name.
  std::vector<void*> blocks;
  for (int i = 0; i < 200; ++i) {
    std::thread([&] {
      for (size_t k = 0; k < blocks.size(); k += 3) {
        heap::release(blocks[k]);
        blocks[k] = heap::allocate(100 + k);
        std::memset(blocks[k], 7, 100 + k);
      }
      for (int k = 0; k < 10; ++k) blocks.push_back(heap::allocate(500));
    }).join();
  }
  std::set<uintptr_t> expected;
  for (void* p : blocks) EXPECT_TRUE(expected.insert(address_of(p)).second);
  std::set<uintptr_t> found;
  for (const heap::Block& block : all_blocks()) found.insert(block.address);
  EXPECT_EQ(found, expected);
}

void* first_allocation(void*) {
  heap::release(heap::allocate(100));
  return nullptr;
}

TEST_F(Threads, OnceTheLoaderIsUsedTheKeyDoesIt) {
  heap::heaprake_loader_used = true;
  for (int i = 0; i < 500; ++i) std::thread([] { first_allocation(nullptr); }).join();
  EXPECT_LE(heap::usage().committed, 64u << 20);
  EXPECT_TRUE(all_blocks().empty());
}

// The constructor of the library starts a thread, and waits for it under the loader's lock.
TEST_F(Threads, AConstructorMayWaitForAThreadThatAllocates) {
  heap::heaprake_loader_used = true;
  char address[32];
  snprintf(address, sizeof address, "%p", reinterpret_cast<void*>(first_allocation));
  setenv("THREAD_FUNCTION", address, 1);
  alarm(30);
  void* library = dlopen(WAITING_LIBRARY, RTLD_NOW);
  ASSERT_NE(library, nullptr) << dlerror();
  EXPECT_NE(dlsym(library, "waited"), nullptr);
}

struct Gathering {
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t change = PTHREAD_COND_INITIALIZER;
  size_t arrived = 0;
  size_t failures = 0;
  bool go = false;
};

void* gather(void* argument) {
  auto* all = static_cast<Gathering*>(argument);
  void* p = heap::allocate(100);
  pthread_mutex_lock(&all->lock);
  all->failures += p == nullptr;
  ++all->arrived;
  while (!all->go) pthread_cond_wait(&all->change, &all->lock);
  pthread_mutex_unlock(&all->lock);
  heap::release(p);
  return nullptr;
}

TEST_F(Threads, ManyAtOnce) {
  Gathering all;
  std::vector<pthread_t> threads;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 * 1024);
  for (size_t i = 0; i < 3000; ++i) {
    pthread_t thread;
    // Where the machine allows no more, those there are will do.
    if (pthread_create(&thread, &attributes, gather, &all) != 0) break;
    threads.push_back(thread);
    // One at a time: the first ones must not be gone, nor all of them wake for each newcomer.
    while (true) {
      pthread_mutex_lock(&all.lock);
      bool there = all.arrived > i;
      pthread_mutex_unlock(&all.lock);
      if (there) break;
      std::this_thread::yield();
    }
  }
  pthread_mutex_lock(&all.lock);
  all.go = true;
  pthread_cond_broadcast(&all.change);
  pthread_mutex_unlock(&all.lock);
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  EXPECT_EQ(all.failures, 0u);
  EXPECT_TRUE(all_blocks().empty());
}

}  // namespace
