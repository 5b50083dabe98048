#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include <cerrno>
#include <ctime>
#include <memory>
#include <thread>
#include <vector>

#include "harness.h"
#include "platform/sigaction.h"

namespace heaprake::platform {
namespace {

enum class Activity { kSpin, kSleep, kRegion };

struct alignas(64) Worker {
  std::atomic<uint64_t> counter{0};
  std::atomic<int> tid{0};
  std::thread thread;
};

// Threads that count: by spinning, between short sleeps, or between short sleeps in a region.
class Crew {
 public:
  Crew(size_t count, Activity activity) : workers_(count) {
    for (Worker& worker : workers_)
      worker.thread = std::thread([this, &worker, activity] { run(worker, activity); });
    for (Worker& worker : workers_)
      while (worker.tid == 0) std::this_thread::yield();
  }
  ~Crew() {
    stop_ = true;
    for (Worker& worker : workers_) worker.thread.join();
  }
  std::vector<Worker>& workers() { return workers_; }

 private:
  void run(Worker& worker, Activity activity) {
    worker.tid = thread_id();
    while (!stop_) {
      const uint64_t count = worker.counter.fetch_add(1, std::memory_order_relaxed);
      // Without it the one who stops the world gets its turn among 64 too seldom.
      if (activity == Activity::kSpin && count % 4096 == 0) syscall(SYS_sched_yield);
      struct timespec pause {
        0, 1000000
      };
      if (activity == Activity::kSleep) syscall(SYS_nanosleep, &pause, nullptr);
      if (activity == Activity::kRegion)
        test_region_call(address_of(&::nanosleep), reinterpret_cast<long>(&pause), 0);
    }
  }
  std::vector<Worker> workers_;
  std::atomic<bool> stop_{false};
};

class WorldTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { start_threads(); }
};

struct Case {
  size_t threads;
  Activity activity;
};
class ManyThreads : public WorldTest, public ::testing::WithParamInterface<Case> {};

TEST_P(ManyThreads, NobodyMovesWhileStopped) {
  Crew crew(GetParam().threads, GetParam().activity);
  std::vector<uint64_t> before(crew.workers().size());
  int given_up = 0;
  for (int round = 0; round < 200; ++round) {
    Stop stop;
    if (stop.outcome() != StopOutcome::kStopped) {
      ++given_up;  // a loaded machine may not let everybody answer in time
      continue;
    }
    ASSERT_EQ(stop.world().count, crew.workers().size() + 1);
    ASSERT_EQ(stop.world().threads[0].tid, thread_id());
    for (size_t i = 0; i < before.size(); ++i) {
      before[i] = crew.workers()[i].counter;
      ASSERT_NE(stop.find(crew.workers()[i].tid), nullptr);
    }
    if (round % 8 == 0) syscall(SYS_sched_yield);
    for (size_t i = 0; i < before.size(); ++i) ASSERT_EQ(crew.workers()[i].counter, before[i]);
  }
  EXPECT_LT(given_up, 20);
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  static const char* const names[] = {"Spin", "Sleep", "Region"};
  return names[static_cast<int>(info.param.activity)] + std::to_string(info.param.threads);
}

INSTANTIATE_TEST_SUITE_P(World, ManyThreads,
                         ::testing::Values(Case{1, Activity::kSpin}, Case{8, Activity::kSpin},
                                           Case{64, Activity::kSpin}, Case{1, Activity::kSleep},
                                           Case{64, Activity::kSleep}, Case{300, Activity::kSleep},
                                           Case{1, Activity::kRegion}, Case{8, Activity::kRegion},
                                           Case{64, Activity::kRegion},
                                           Case{300, Activity::kRegion}),
                         name_of);

TEST_F(WorldTest, AloneIsStoppedAtOnce) {
  Stop stop;
  ASSERT_EQ(stop.outcome(), StopOutcome::kStopped);
  EXPECT_EQ(stop.world().count, 1u);
}

bool found_in(const StoppedThread& thread, uintptr_t value, uintptr_t stack_top) {
  return holds(thread.registers, value) || holds(thread.vectors, value) ||
         holds({thread.sp, stack_top}, value);
}

struct Holder {
  Spin* spin;
  volatile int ready = 0, go_on = 0;
  std::atomic<int> tid{0};
  std::atomic<uintptr_t> top{0};
  uintptr_t disguised = 0;
};

TEST_F(WorldTest, ValuesInRegistersAndTheRedZoneAreFound) {
  const struct {
    const char* name;
    Spin* spin;
  } cases[] = {{"rbx", test_spin_rbx},
               {"r12", test_spin_r12},
               {"rax", test_spin_rax},
               {"xmm5", test_spin_xmm5},
               {"red zone", test_spin_red_zone}};
  for (const auto& c : cases) {
    Holder holder;
    holder.spin = c.spin;
    const uintptr_t secret = 0x5ec2e7000000 + reinterpret_cast<uintptr_t>(&holder);
    holder.disguised = ~secret;
    std::thread thread([&] {
      holder.tid = thread_id();
      holder.top = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
      holder.spin(&holder.ready, &holder.go_on, holder.disguised);
    });
    while (holder.ready == 0) std::this_thread::yield();
    {
      Stop stop;
      ASSERT_EQ(stop.outcome(), StopOutcome::kStopped);
      const StoppedThread* stopped = stop.find(holder.tid);
      ASSERT_NE(stopped, nullptr);
      EXPECT_TRUE(found_in(*stopped, secret, holder.top)) << c.name;
      EXPECT_EQ(stopped->tcb, static_cast<uintptr_t>(thread.native_handle()));
    }
    holder.go_on = 1;
    thread.join();
  }
}

TEST_F(WorldTest, ARegistersValueIsFoundInARegion) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const uintptr_t secret = 0x5ec2e7123450;
  std::atomic<int> tid{0};
  std::atomic<uintptr_t> top{0};
  auto blocked_read = +[](long fd) -> long {
    char byte;
    return ::read(static_cast<int>(fd), &byte, 1);
  };
  std::thread thread([&] {
    top = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    tid = thread_id();
    test_region_with_rbx(address_of(blocked_read), ends[0], ~secret);
  });
  while (tid == 0) std::this_thread::yield();
  usleep(20000);
  {
    Stop stop;
    ASSERT_EQ(stop.outcome(), StopOutcome::kStopped);
    const StoppedThread* stopped = stop.find(tid);
    ASSERT_NE(stopped, nullptr);
    EXPECT_TRUE(found_in(*stopped, secret, top));
    EXPECT_EQ(stopped->tcb, static_cast<uintptr_t>(thread.native_handle()));
  }
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  thread.join();
  close(ends[0]);
  close(ends[1]);
}

TEST_F(WorldTest, AWaiterForALockOfOursCountsAsStopped) {
  Mutex lock;
  lock.lock();
  std::atomic<int> tid{0};
  std::thread thread([&] {
    const SignalMask mask = block_signals();  // no signal would reach it
    heaprake_with_context(
        [](const CallContext* context, void* arg) {
          auto& [mutex, id] = *static_cast<std::pair<Mutex*, std::atomic<int>*>*>(arg);
          enter_region(thread_of_call(*context));
          *id = thread_id();
          mutex->lock();
          leave_region();
          mutex->unlock();
        },
        std::make_unique<std::pair<Mutex*, std::atomic<int>*>>(&lock, &tid).get());
    restore_signals(mask);
  });
  while (tid == 0) std::this_thread::yield();
  {
    Stop stop;
    ASSERT_EQ(stop.outcome(), StopOutcome::kStopped);
    const StoppedThread* stopped = stop.find(tid);
    ASSERT_NE(stopped, nullptr);
    EXPECT_EQ(stopped->registers.size(), 6 * sizeof(uintptr_t));
  }
  lock.unlock();
  thread.join();
}

TEST_F(WorldTest, ThreadsComeAndGoMeanwhile) {
  std::atomic<bool> stop_all{false};
  std::atomic<uint64_t> moved{0};
  std::vector<std::thread> parents;
  for (int i = 0; i < 4; ++i) {
    parents.emplace_back([&] {
      while (!stop_all) {
        std::thread a([&] { moved++; });
        std::thread b([&] { moved++; });
        a.join();
        b.join();
      }
    });
  }
  int stopped = 0;
  for (int round = 0; round < 300; ++round) {
    Stop stop;
    if (stop.outcome() != StopOutcome::kStopped) continue;
    ++stopped;
    const uint64_t before = moved;
    for (int i = 0; i < 20; ++i) syscall(SYS_sched_yield);
    ASSERT_EQ(moved.load(), before);
  }
  stop_all = true;
  for (auto& parent : parents) parent.join();
  EXPECT_GT(stopped, 270);
}

TEST_F(WorldTest, AThreadThatBlocksEverySignalMakesItGiveUp) {
  std::atomic<int> phase{0};
  std::thread thread([&] {
    const SignalMask mask = block_signals();
    phase = 1;
    while (phase == 1) std::this_thread::yield();
    restore_signals(mask);
    phase = 3;
    while (phase == 3) std::this_thread::yield();
  });
  while (phase == 0) std::this_thread::yield();
  EXPECT_EQ(Stop().outcome(), StopOutcome::kUnstoppable);
  phase = 2;
  while (phase != 3) std::this_thread::yield();  // the late signal is taken and ignored
  EXPECT_EQ(Stop().outcome(), StopOutcome::kStopped);
  phase = 4;
  thread.join();
}

TEST_F(WorldTest, WithoutDescriptorsThereIsNoThreadList) {
  std::vector<int> fds;
  for (int fd; (fd = dup(0)) >= 0;) fds.push_back(fd);
  EXPECT_EQ(Stop().outcome(), StopOutcome::kNoThreadList);
  for (int fd : fds) close(fd);
  EXPECT_EQ(Stop().outcome(), StopOutcome::kStopped);
}

TEST_F(WorldTest, HelpersWorkWhileTheWorldIsStopped) {
  Crew crew(8, Activity::kSpin);
  for (int round = 0; round < 50; ++round) {
    Stop stop;
    if (stop.outcome() != StopOutcome::kStopped) continue;
    std::atomic<unsigned> sum{0};
    const unsigned count = run_parallel(
        3,
        [](void* arg, unsigned index) { *static_cast<std::atomic<unsigned>*>(arg) += index + 1; },
        &sum);
    EXPECT_EQ(count, 3u);
    EXPECT_EQ(sum.load(), 6u);
    void* memory = map(1 << 20);
    EXPECT_NE(memory, nullptr);
    release(memory, 1 << 20);
  }
}

// A call that SA_RESTART does not restart, made outside any region, must not see our signal.
TEST_F(WorldTest, EndlessPollOutsideARegionIsNotInterrupted) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::atomic<int> tid{0};
  long result = 0;
  std::thread thread([&] {
    tid = thread_id();
    struct {
      int fd;
      short events, got;
    } wait{ends[0], 1, 0};
    asm volatile("movl $7, %%eax\n\tsyscall"
                 : "=&a"(result)
                 : "D"(&wait), "S"(1L), "d"(-1L)
                 : "rcx", "r11", "memory");
  });
  while (tid == 0) std::this_thread::yield();
  for (int round = 0; round < 50; ++round) {
    usleep(1000);
    EXPECT_EQ(Stop().outcome(), StopOutcome::kStopped);
  }
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  thread.join();
  EXPECT_EQ(result, 1);
  close(ends[0]);
  close(ends[1]);
}

// A kernel thread of io_uring's is listed among the process's threads but takes no signals.
TEST_F(WorldTest, KernelWorkersAreNotWaitedFor) {
  struct io_uring_params params {};
  params.flags = IORING_SETUP_SQPOLL;
  params.sq_thread_idle = 10000;
  const int ring = static_cast<int>(syscall(SYS_io_uring_setup, 4, &params));
  if (ring < 0) GTEST_SKIP() << "io_uring is not allowed here";
  Crew crew(2, Activity::kSpin);
  for (int round = 0; round < 20; ++round) {
    Stop stop;
    ASSERT_EQ(stop.outcome(), StopOutcome::kStopped);
    EXPECT_EQ(stop.world().count, 3u);
    const uint64_t before = crew.workers()[0].counter + crew.workers()[1].counter;
    syscall(SYS_sched_yield);
    EXPECT_EQ(crew.workers()[0].counter + crew.workers()[1].counter, before);
  }
  close(ring);
}

}  // namespace
}  // namespace heaprake::platform
