// Little address space, little memory. Each in a child, since limits are for the whole process.
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

#include "heap_fixture.h"

namespace {

void limit(int resource, size_t bytes) {
  rlimit value{bytes, bytes};
  if (setrlimit(static_cast<__rlimit_resource>(resource), &value) != 0) _exit(99);
}

void require(bool condition, int code) {
  if (!condition) _exit(code);
}

// Allocates until it fails and frees all; so many times.
[[noreturn]] void fill_and_empty(size_t size, size_t at_least, int rounds = 2) {
  require(heap::init({}), 1);
  for (int round = 0; round < rounds; ++round) {
    void* last = nullptr;
    size_t total = 0;
    while (void* p = heap::allocate(size)) {
      *static_cast<void**>(p) = last;
      last = p;
      total += size;
      require(total < size_t{1} << 32, 2);
    }
    require(total >= at_least, 3);
    while (last) {
      void* p = last;
      last = *static_cast<void**>(p);
      heap::release(p);
    }
    require(all_blocks().empty(), 4);
  }
  _exit(0);
}

TEST(Limits, HalfAGibibyteOfAddressSpace) {
  for (size_t size : {100u, 5000u, 200000u, 3u << 20, 20u << 20}) {
    EXPECT_EXIT(
        {
          limit(RLIMIT_AS, 512u << 20);
          fill_and_empty(size, 90u << 20);
        },
        ::testing::ExitedWithCode(0), "")
        << size;
  }
}

TEST(Limits, HalfOfItIsLeftForMappings) {
  EXPECT_EXIT(
      {
        limit(RLIMIT_AS, 512u << 20);
        require(heap::init({}), 1);
        void* p = mmap(nullptr, 128u << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        _exit(p == MAP_FAILED);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(Limits, MoreThreadsThanSegmentsFit) {
  EXPECT_EXIT(
      {
        // libc's own malloc, which the test program still has, would take 64 MiB and more of
        // addresses for each thread, and leave the heap none.
        mallopt(M_ARENA_MAX, 1);
        limit(RLIMIT_AS, 512u << 20);
        require(heap::init({}), 100);
        std::atomic<int> failures{0};
        std::atomic<int> arrived{0};
        constexpr int kThreads = 16;
        std::thread threads[kThreads];
        for (auto& thread : threads) {
          thread = std::thread([&] {
            void* p = heap::allocate(100);
            failures += p == nullptr;
            ++arrived;
            while (arrived < kThreads) std::this_thread::yield();
            heap::release(p);
          });
        }
        for (auto& thread : threads) thread.join();
        _exit(failures);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(Limits, LittleDataAllowed) {
  EXPECT_EXIT(
      {
        limit(RLIMIT_DATA, 200u << 20);
        fill_and_empty(1000, 100u << 20, 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(Limits, NoAddressSpaceAtAll) {
  EXPECT_EXIT(
      {
        limit(RLIMIT_AS, 16u << 20);
        require(!heap::init({}), 1);
        require(heap::allocate(10) == nullptr, 2);
        _exit(0);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
