// The ledger: who asked for a block, in which thread, when, and for how much.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "allocator/ledger.h"
#include "heap_fixture.h"

namespace {

namespace ledger = heap::ledger;

bool start(heap::Stacks stacks = heap::Stacks::kFull, unsigned depth = 64) {
  heap::Config config;
  config.ledger = true;
  config.stacks = stacks;
  config.depth = depth;
  return heap::init(config);
}

ledger::Entry entry_of(const void* p) {
  return ledger::entry_of(heap::find_block(address_of(p)));
}

std::vector<uintptr_t> addresses_of(uint32_t stack) {
  ledger::Frame frames[64];
  const size_t count = ledger::frames_of(stack, frames, 64);
  std::vector<uintptr_t> addresses;
  for (size_t i = 0; i < count && i < 64; ++i) {
    const uintptr_t base = frames[i].module ? ledger::module_at(frames[i].module).base : 0;
    addresses.push_back(base + frames[i].offset);
  }
  return addresses;
}

// Functions that are looked for in stacks: no other one begins within so many bytes.
#define SITE [[gnu::noinline, gnu::aligned(256)]]
constexpr uintptr_t kSiteBytes = 256;

// Whether one of the stack's calls was made by the function that begins there. Allocates nothing,
// for use in handlers.
bool has_call_from(uint32_t stack, const void* function) {
  ledger::Frame frames[64];
  const size_t count = ledger::frames_of(stack, frames, 64);
  return std::any_of(frames, frames + count, [&](const ledger::Frame& frame) {
    const uintptr_t base = frame.module ? ledger::module_at(frame.module).base : 0;
    return base + frame.offset - 1 - address_of(function) < kSiteBytes;
  });
}
template <class F>
const void* code_of(F* function) {
  return reinterpret_cast<const void*>(function);
}

SITE void* from_here(size_t size) {
  void* p = heap::allocate(size);
  asm volatile("" : : "r"(p) : "memory");
  return p;
}
SITE void* from_there(size_t size) {
  void* p = heap::allocate(size);
  asm volatile("" : : "r"(p) : "memory");
  return p;
}
SITE void* outer_one(void* (*allocate)(size_t)) {
  void* p = allocate(40);
  asm volatile("" : : "r"(p) : "memory");
  return p;
}
SITE void* outer_two(void* (*allocate)(size_t)) {
  void* p = allocate(40);
  asm volatile("" : : "r"(p) : "memory");
  return p;
}

TEST(Ledger, TellsStacksApartByAnyFrame) {
  ASSERT_TRUE(start());
  void* blocks[2][2][3];
  // One call instruction each, whatever a compiler thinks of such loops.
  volatile int rounds = 3;
  for (int i = 0; i < rounds; ++i) {
    blocks[0][0][i] = outer_one(from_here);
    blocks[0][1][i] = outer_one(from_there);
    blocks[1][0][i] = outer_two(from_here);
    blocks[1][1][i] = outer_two(from_there);
  }
  std::vector<uint32_t> stacks;
  for (auto& outer : blocks) {
    for (auto& inner : outer) {
      const uint32_t stack = entry_of(inner[1]).stack;
      EXPECT_NE(stack, 0u);
      EXPECT_EQ(entry_of(inner[2]).stack, stack);
      EXPECT_TRUE(has_call_from(stack, &outer == blocks ? code_of(outer_one) : code_of(outer_two)));
      EXPECT_TRUE(has_call_from(stack, &inner == outer ? code_of(from_here) : code_of(from_there)));
      EXPECT_FALSE(
          has_call_from(stack, &outer == blocks ? code_of(outer_two) : code_of(outer_one)));
      stacks.push_back(stack);
    }
  }
  std::sort(stacks.begin(), stacks.end());
  EXPECT_EQ(std::unique(stacks.begin(), stacks.end()), stacks.end());
}

TEST(Ledger, HasWhatResizedABlock) {
  ASSERT_TRUE(start());
  void* p = outer_one(from_here);
  const uint32_t before = entry_of(p).stack;
  for (size_t size : {40u, 41u, 60u, 5000u, 100u, 20u << 20}) {
    p = heap::reallocate(p, size);
    ASSERT_NE(p, nullptr);
    EXPECT_EQ(entry_of(p).requested, size);
    EXPECT_FALSE(has_call_from(entry_of(p).stack, code_of(from_here))) << size;
    EXPECT_NE(entry_of(p).stack, before);
  }
}

TEST(Ledger, NumbersThreads) {
  ASSERT_TRUE(start());
  void* mine = heap::allocate(10);
  void* theirs = nullptr;
  std::thread([&] {
    prctl(PR_SET_NAME, "grocer");
    theirs = heap::allocate(10);
  }).join();
  const uint32_t me = entry_of(mine).thread;
  const uint32_t them = entry_of(theirs).thread;
  EXPECT_NE(me, 0u);
  EXPECT_NE(them, 0u);
  EXPECT_NE(me, them);
  EXPECT_EQ(ledger::thread_at(me).tid, getpid());
  EXPECT_FALSE(ledger::thread_at(me).ended);
  EXPECT_STREQ(ledger::thread_at(them).name, "grocer");
  ledger::refresh_threads();
  EXPECT_TRUE(ledger::thread_at(them).ended);
  EXPECT_FALSE(ledger::thread_at(me).ended);
}

TEST(Ledger, NoticesAThreadsNewName) {
  ASSERT_TRUE(start());
  void* p = heap::allocate(10);
  prctl(PR_SET_NAME, "renamed");
  ledger::refresh_threads();
  EXPECT_STREQ(ledger::thread_at(entry_of(p).thread).name, "renamed");
}

TEST(Ledger, NeverGivesABlockToAThreadThatCameLater) {
  ASSERT_TRUE(start());
  void* early = nullptr;
  std::thread([&] { early = heap::allocate(10); }).join();
  usleep(50000);
  for (int i = 0; i < 17000; ++i) {
    pthread_t thread;
    ASSERT_EQ(pthread_create(
                  &thread, nullptr,
                  [](void*) -> void* {
                    heap::release(heap::allocate(10));
                    return nullptr;
                  },
                  nullptr),
              0);
    pthread_join(thread, nullptr);
  }
  EXPECT_EQ(ledger::thread_count(), 16383u);
  EXPECT_EQ(entry_of(early).thread, 0u);
  EXPECT_NE(entry_of(heap::allocate(10)).thread, 0u);
}

TEST(Ledger, TellsTheTime) {
  ASSERT_TRUE(start());
  void* first = heap::allocate(10);
  usleep(200000);
  void* second = heap::allocate(10);
  const uint64_t between = entry_of(second).time_ms - entry_of(first).time_ms;
  EXPECT_GE(between, 170u);
  EXPECT_LE(entry_of(second).time_ms, ledger::now_ms());
}

TEST(Ledger, LeavesOutWhatIsDisabledOrIgnored) {
  ASSERT_TRUE(start());
  void* before = heap::allocate(10);
  ledger::disable();
  ledger::disable();
  void* within = heap::allocate(10);
  ledger::enable();
  void* still = heap::allocate(10);
  void* other = nullptr;
  std::thread([&] { other = heap::allocate(10); }).join();
  ledger::enable();
  ledger::enable();  // one too many
  void* after = heap::allocate(10);
  EXPECT_FALSE(entry_of(before).ignored);
  EXPECT_TRUE(entry_of(within).ignored);
  EXPECT_TRUE(entry_of(still).ignored);
  EXPECT_FALSE(entry_of(other).ignored);
  EXPECT_FALSE(entry_of(after).ignored);
  EXPECT_TRUE(ledger::ignore(static_cast<char*>(after) + 5));
  EXPECT_TRUE(entry_of(after).ignored);
  EXPECT_EQ(entry_of(after).requested, 10u);
  EXPECT_FALSE(ledger::ignore(&before));
}

TEST(Ledger, KeepsNoStacksWhenToldSo) {
  ASSERT_TRUE(start(heap::Stacks::kOff));
  void* p = heap::allocate(10);
  EXPECT_EQ(entry_of(p).stack, 0u);
  EXPECT_EQ(entry_of(p).requested, 10u);
  EXPECT_NE(entry_of(p).thread, 0u);
  EXPECT_EQ(ledger::stack_count(), 0u);
}

TEST(Ledger, KeepsAsManyFramesAsAskedFor) {
  ASSERT_TRUE(start(heap::Stacks::kFull, 3));
  void* p = outer_one(from_here);
  EXPECT_EQ(addresses_of(entry_of(p).stack).size(), 3u);
}

TEST(Ledger, SurvivesASpoiltEntry) {
  ASSERT_TRUE(start());
  void* p = heap::allocate(40);
  std::memset(p, 0xff, 48);
  EXPECT_EQ(entry_of(p).stack, 0u);
  EXPECT_LE(entry_of(p).requested, 40u);
  std::memset(p, 0, 48);
  EXPECT_EQ(entry_of(p).thread, 0u);
  heap::release(p);
}

// Adaptive: the frame that allocates is right even where outer ones are not looked at.
TEST(Ledger, AdaptiveStacksHaveTheRightSites) {
  ASSERT_TRUE(start(heap::Stacks::kAdaptive));
  for (int i = 0; i < 1000; ++i) {
    void* here = outer_one(from_here);
    void* there = outer_two(from_there);
    ASSERT_TRUE(has_call_from(entry_of(here).stack, code_of(from_here)));
    ASSERT_FALSE(has_call_from(entry_of(here).stack, code_of(from_there)));
    ASSERT_TRUE(has_call_from(entry_of(there).stack, code_of(from_there)));
    heap::release(here);
    heap::release(there);
  }
}

TEST(Ledger, InternsStacksFromManyThreadsAtOnce) {
  ASSERT_TRUE(start());
  constexpr int kThreads = 8;
  std::vector<std::thread> threads;
  std::atomic<int> ready{0};
  std::vector<uint32_t> seen(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      ++ready;
      while (ready < kThreads) std::this_thread::yield();
      for (int i = 0; i < 20000; ++i) {
        void* p = outer_one(i % 2 ? from_here : from_there);
        if (entry_of(p).stack == 0) std::abort();
        if (i == 19999) seen[t] = entry_of(p).stack;
        heap::release(p);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint32_t stack : seen) EXPECT_EQ(addresses_of(stack), addresses_of(seen[0]));
  // A few may have been inserted twice.
  EXPECT_LT(ledger::stack_count(), 100u);
}

sigjmp_buf out_of_handler;
std::atomic<uint64_t> from_handlers{0};

SITE void allocate_in_handler(int) {
  void* p = outer_two(from_there);
  if (!has_call_from(entry_of(p).stack, code_of(from_there))) std::abort();
  heap::release(p);
  ++from_handlers;
}

// mimalloc must not be interrupted by itself, so the handler comes while a block is being entered
// only: the entry is written anew again and again.
SITE void resize_until(uint64_t count, void* p) {
  for (size_t i = 0; from_handlers < count; ++i) {
    if (heap::reallocate(p, 33 + i % 8) != p) std::abort();
    if (!has_call_from(entry_of(p).stack, code_of(resize_until))) std::abort();
  }
}

TEST(Ledger, IsNotDisturbedByHandlersThatAllocate) {
  ASSERT_TRUE(start());
  void* p = heap::allocate(40);
  signal(SIGALRM, allocate_in_handler);
  itimerval often{{0, 200}, {0, 200}};
  setitimer(ITIMER_REAL, &often, nullptr);
  resize_until(500, p);
  often = {};
  setitimer(ITIMER_REAL, &often, nullptr);
}

TEST(Ledger, GoesOnAfterAJumpOutOfAHandler) {
  ASSERT_TRUE(start());
  static void* block = heap::allocate(40);
  signal(SIGALRM, [](int) {
    ++from_handlers;
    siglongjmp(out_of_handler, 1);
  });
  itimerval often{{0, 300}, {0, 300}};
  sigsetjmp(out_of_handler, 1);
  if (from_handlers < 500) {
    setitimer(ITIMER_REAL, &often, nullptr);
    resize_until(500, block);
  }
  often = {};
  setitimer(ITIMER_REAL, &often, nullptr);
  for (int i = 0; i < 100; ++i) {
    void* p = outer_one(from_here);
    EXPECT_TRUE(has_call_from(entry_of(p).stack, code_of(from_here)));
    EXPECT_TRUE(has_call_from(entry_of(p).stack, code_of(outer_one)));
  }
}

TEST(Ledger, AForkedChildGoesOn) {
  ASSERT_TRUE(start());
  void* before = outer_one(from_here);
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) heap::release(outer_two(from_there));
  });
  for (int i = 0; i < 20; ++i) {
    heap::before_fork();
    const pid_t child = fork();
    if (child == 0) {
      heap::reset_after_fork();
      void* p = outer_two(from_there);
      bool good = has_call_from(entry_of(p).stack, code_of(from_there)) &&
                  has_call_from(entry_of(before).stack, code_of(from_here)) &&
                  ledger::thread_at(entry_of(p).thread).tid == getpid();
      _exit(good ? 0 : 1);
    }
    heap::after_fork_in_parent();
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  stop = true;
  busy.join();
}

TEST(Ledger, KnowsModulesByNameAndBuildId) {
  ASSERT_TRUE(start());
  const uint32_t stack = entry_of(outer_one(from_here)).stack;
  ledger::Frame frames[64];
  const size_t count = ledger::frames_of(stack, frames, 64);
  ASSERT_GT(count, 2u);
  char self[4096] = {};
  ASSERT_GT(readlink("/proc/self/exe", self, sizeof self - 1), 0);
  EXPECT_STREQ(ledger::module_at(frames[0].module).path, self);
  // The outermost frames are libc's, whose build id Debian keeps.
  const auto& libc = ledger::module_at(frames[count - 2].module);
  EXPECT_NE(std::strstr(libc.path, "libc.so.6"), nullptr);
  EXPECT_EQ(libc.build_id_length, 20);
  EXPECT_TRUE(heaprake::platform::is_loaded(libc));
}

}  // namespace
