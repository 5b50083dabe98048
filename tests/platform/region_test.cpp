#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <csetjmp>
#include <thread>

#include "harness.h"
#include "platform/stop_state.h"

namespace heaprake::platform {
namespace {

class RegionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { start_threads(); }
  void SetUp() override { ASSERT_EQ(pipe(pipe_), 0); }
  void TearDown() override {
    close(pipe_[0]);
    close(pipe_[1]);
  }
  int pipe_[2];
};

uint32_t my_state() {
  return own_record()->state.load();
}

long probe_state(long value) {
  return value + static_cast<long>(my_state());
}

TEST_F(RegionTest, TheCalleeRunsInside) {
  EXPECT_EQ(my_state(), kRunning);
  EXPECT_EQ(test_region_call(address_of(&probe_state), 100), 100 + kSafe);
  EXPECT_EQ(my_state(), kRunning);
}

TEST_F(RegionTest, AllArgumentsArriveInANewThreadToo) {
  const long arguments[6] = {1, 2, 3, 4, 5, 6};
  long first = 0, second = 0;
  std::thread([&] {
    first = test_region_six(address_of(&test_digits), arguments);
    second = test_region_six(address_of(&test_digits), arguments);
  }).join();
  EXPECT_EQ(first, 1234565);
  EXPECT_EQ(second, 1234565);
}

TEST_F(RegionTest, ErrnoAndResultAreTheCalls) {
  errno = 0;
  char byte;
  EXPECT_EQ(read_in_region(-1, &byte, 1), -1);
  EXPECT_EQ(errno, EBADF);
  errno = 99;
  ASSERT_EQ(write(pipe_[1], "x", 1), 1);
  EXPECT_EQ(read_in_region(pipe_[0], &byte, 1), 1);
  EXPECT_EQ(errno, 99);
}

TEST_F(RegionTest, RegionsNest) {
  auto outer = +[](long fn) -> long {
    const uintptr_t sp = own_record()->sp.load();
    const long inner = test_region_call(reinterpret_cast<void*>(fn), 7);
    // The inner call has left for good; the outer frame's pointer is published again.
    return inner == 7 + kSafe && own_record()->sp.load() == sp ? 1 : 0;
  };
  EXPECT_EQ(test_region_call(address_of(outer), reinterpret_cast<long>(&probe_state)), 1);
  EXPECT_EQ(my_state(), kRunning);
}

struct Cancelled {
  int fd;
  std::atomic<bool> inside{false};
  uint32_t state_in_cleanup = 77;
};

TEST_F(RegionTest, CancellingABlockedThreadLeavesTheRegion) {
  for (int round = 0; round < 20; ++round) {
    Cancelled cancelled{pipe_[0]};
    pthread_t thread;
    auto body = +[](void* arg) -> void* {
      auto* c = static_cast<Cancelled*>(arg);
      pthread_cleanup_push(
          +[](void* p) { static_cast<Cancelled*>(p)->state_in_cleanup = my_state(); }, c);
      c->inside = true;
      char byte;
      read_in_region(c->fd, &byte, 1);
      pthread_cleanup_pop(0);
      return nullptr;
    };
    ASSERT_EQ(pthread_create(&thread, nullptr, body, &cancelled), 0);
    while (!cancelled.inside) std::this_thread::yield();
    if (round % 2 == 0) usleep(1000);
    pthread_cancel(thread);
    void* result;
    pthread_join(thread, &result);
    EXPECT_EQ(result, PTHREAD_CANCELED);
    EXPECT_EQ(cancelled.state_in_cleanup, kRunning);
  }
}

struct Guard {
  uint32_t* state;
  ~Guard() { *state = my_state(); }
};

TEST_F(RegionTest, ExceptionsPassThrough) {
  auto thrower = +[](long value) -> long { throw value; };
  uint32_t state_in_destructor = 77;
  long caught = 0;
  try {
    Guard guard{&state_in_destructor};
    test_region_call(address_of(thrower), 5);
  } catch (long value) {
    caught = value;
  }
  EXPECT_EQ(caught, 5);
  EXPECT_EQ(state_in_destructor, kRunning);
  EXPECT_EQ(my_state(), kRunning);
}

// What the shim's trampoline does around a handler of the program's.
std::atomic<int> handler_saw_inside{-1};
int handler_pipe = -1;
sigjmp_buf jump;

void trampoline(int) {
  const SavedRegion saved =
      leave_region_for_handler(static_cast<uintptr_t*>(__builtin_frame_address(0)), nullptr);
  handler_saw_inside = saved.inside;
  char byte;
  if (handler_pipe >= 0) read_in_region(handler_pipe, &byte, 1);
  reenter_region_after_handler(saved);
}

void install(int signal, void (*handler)(int), int flags = 0) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(signal, &action, nullptr);
}

void wait_until_safe(int tid) {
  while (find_record(tid) == nullptr || find_record(tid)->state != kSafe) usleep(100);
}

TEST_F(RegionTest, AHandlerRunsOutsideAndTheRegionIsEnteredAgain) {
  install(SIGUSR1, trampoline);
  int other[2];
  ASSERT_EQ(pipe(other), 0);
  ASSERT_EQ(write(other[1], "x", 1), 1);
  handler_pipe = other[0];
  std::atomic<int> tid{0};
  long result = 0;
  int error = 0;
  bool ours_alone = true;
  std::thread thread([&] {
    tid = thread_id();
    char byte;
    result = read_in_region(pipe_[0], &byte, 1);
    error = errno;
    ours_alone = interrupted_by_us_alone();
  });
  while (tid == 0) std::this_thread::yield();
  wait_until_safe(tid);
  pthread_kill(thread.native_handle(), SIGUSR1);
  thread.join();
  EXPECT_EQ(handler_saw_inside.load(), 1);
  EXPECT_EQ(result, -1);
  EXPECT_EQ(error, EINTR);  // the program's own signal still interrupts
  EXPECT_FALSE(ours_alone);
  handler_saw_inside = -1;
  handler_pipe = -1;
  raise(SIGUSR1);
  EXPECT_EQ(handler_saw_inside.load(), 0);
  close(other[0]);
  close(other[1]);
}

TEST_F(RegionTest, ALongjmpOutOfTheHandlerLeavesTheRegion) {
  install(
      SIGUSR2, +[](int) {
        leave_region_for_handler(static_cast<uintptr_t*>(__builtin_frame_address(0)), nullptr);
        siglongjmp(jump, 1);
      });
  if (sigsetjmp(jump, 1) == 0) {
    const pthread_t self = pthread_self();
    const int tid = thread_id();
    std::thread([=] {
      wait_until_safe(tid);
      pthread_kill(self, SIGUSR2);
    }).detach();
    char byte;
    read_in_region(pipe_[0], &byte, 1);
    FAIL();
  }
  EXPECT_EQ(my_state(), kRunning);
}

TEST_F(RegionTest, AHandlerThatForksLeavesTheChildRunning) {
  static std::atomic<int> child_status{-1};
  install(
      SIGUSR1, +[](int) {
        const SavedRegion saved =
            leave_region_for_handler(static_cast<uintptr_t*>(__builtin_frame_address(0)), nullptr);
        const pid_t child = fork();
        if (child == 0) {
          reset_threads_after_fork();
          char byte;
          read_in_region(-1, &byte, 1);  // the child's own record
          reenter_region_after_handler(saved);
          _exit(own_record()->state == kRunning ? 0 : 1);
        }
        int status = -1;
        waitpid(child, &status, 0);
        child_status = status;
        reenter_region_after_handler(saved);
      });
  const pthread_t self = pthread_self();
  const int tid = thread_id();
  std::thread killer([=] {
    wait_until_safe(tid);
    pthread_kill(self, SIGUSR1);
  });
  char byte;
  EXPECT_EQ(read_in_region(pipe_[0], &byte, 1), -1);
  killer.join();
  EXPECT_EQ(child_status.load(), 0);
  EXPECT_EQ(my_state(), kRunning);
}

TEST_F(RegionTest, OurOwnInterruptionIsTold) {
  char byte;
  errno = 0;
  read_in_region(-1, &byte, 1);
  EXPECT_FALSE(interrupted_by_us_alone());
  own_record()->events.fetch_or(kInterruptedByUs);
  EXPECT_TRUE(interrupted_by_us_alone());
  EXPECT_FALSE(interrupted_by_us_alone());  // reading clears it
  own_record()->events.fetch_or(kInterruptedByUs);
  read_in_region(-1, &byte, 1);  // entering clears it
  EXPECT_FALSE(interrupted_by_us_alone());
}

}  // namespace
}  // namespace heaprake::platform
