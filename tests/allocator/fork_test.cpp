#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "heap_fixture.h"

namespace {

class Fork : public Heap {};

int status_of_child(const std::function<bool()>& in_child) {
  heap::before_fork();
  pid_t child = fork();
  if (child == 0) {
    heaprake::platform::reset_threads_after_fork();
    heap::reset_after_fork();
    alarm(60);
    _exit(in_child() ? 0 : 1);
  }
  heap::after_fork_in_parent();
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

bool use_everything() {
  for (int round = 0; round < 2; ++round) {
    std::vector<void*> blocks;
    for (size_t size = 1; size < 20u << 20; size += 1 + size / 2) {
      void* p = heap::allocate(size);
      if (!p) return false;
      blocks.push_back(heap::reallocate(p, size * 2));
    }
    for (void* p : blocks) heap::release(p);
  }
  heap::trim();
  return true;
}

TEST_F(Fork, TheChildAllocatesAndFreesWhatItInherited) {
  std::vector<void*> inherited;
  for (size_t size = 1; size < 20u << 20; size += 1 + size / 2) {
    inherited.push_back(heap::allocate(size));
  }
  int status = status_of_child([&] {
    for (void* p : inherited) {
      if (heap::find_block(address_of(p)).address != address_of(p)) return false;
      heap::release(p);
    }
    return use_everything() && all_blocks().empty();
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(all_blocks().size(), inherited.size());
}

TEST_F(Fork, WhileOtherThreadsAreInTheMiddleOfThings) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      while (!stop) {
        std::thread([] {
          for (int i = 0; i < 200; ++i) heap::release(heap::allocate(1 + i * 97));
        }).join();
        heap::release(heap::allocate((16u << 20) + t));
      }
    });
  }
  for (int i = 0; i < 25; ++i) {
    ASSERT_EQ(status_of_child([] { return use_everything(); }), 0) << i;
  }
  stop = true;
  for (auto& thread : threads) thread.join();
}

}  // namespace
