// Stops in awkward processes, and requests from others.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>

#include <optional>
#include <thread>

#include "child_process.h"
#include "harness.h"
#include "heaprake/protocol.h"
#include "platform/stop_signal.h"
#include "platform/stop_state.h"

namespace heaprake::platform {
namespace {

// A stop, and another one while the threads did not get a processor in time to answer.
void stop_at_last(std::optional<Stop>* stop) {
  do {
    stop->emplace();
  } while ((*stop)->outcome() == StopOutcome::kUnstoppable);
}

TEST(Processes, AForkedChildStopsItsOwnWorld) {
  EXPECT_EQ(status_of([] {
              std::thread other([] {
                char byte;
                int ends[2];
                CHECK(pipe(ends) == 0);
                read_in_region(ends[0], &byte, 1);
              });
              other.detach();
              usleep(1000);
              std::optional<Stop> parents;
              stop_at_last(&parents);
              CHECK(parents->outcome() == StopOutcome::kStopped);
              parents.reset();
              const pid_t child = fork();
              if (child == 0) {
                alarm(50);
                CHECK(Stop().outcome() == StopOutcome::kForeign);  // not told yet
                reset_threads_after_fork();
                std::thread spinner([] {
                  while (!done) ++steps;
                });
                for (int round = 0; round < 100; ++round) {
                  std::optional<Stop> stop;
                  stop_at_last(&stop);
                  CHECK(stop->outcome() == StopOutcome::kStopped);
                  CHECK(stop->world().count == 2);
                  const uint64_t before = steps;
                  syscall(SYS_sched_yield);
                  CHECK(steps == before);
                }
                done = true;
                spinner.join();
                _exit(0);
              }
              int status = -1;
              CHECK(waitpid(child, &status, 0) == child && status == 0);
            }),
            0);
}

int run_vfork_child(void*) {
  // Shares the memory; must be told that it is foreign, and its region calls must not hang.
  char byte;
  const long result = read_in_region(-1, &byte, 1);
  usleep(300000);
  _exit(result == -1 ? 0 : 1);
}

TEST(Processes, AVforkingThreadIsGivenUpOnWithoutAHang) {
  EXPECT_EQ(status_of([] {
              static char stack[65536] __attribute__((aligned(16)));
              int status = -1;
              std::atomic<bool> started{false};
              std::thread parent([&] {
                started = true;
                const pid_t child = clone(run_vfork_child, stack + sizeof stack,
                                          CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr);
                CHECK(waitpid(child, &status, 0) == child);
              });
              while (!started) std::this_thread::yield();
              usleep(50000);
              CHECK(Stop().outcome() == StopOutcome::kUnstoppable);
              parent.join();
              CHECK(status == 0);
              CHECK(Stop().outcome() == StopOutcome::kStopped);
            }),
            0);
}

TEST(Processes, AVforkChildCannotStopTheParentsWorld) {
  EXPECT_EQ(status_of([] {
              static char stack[65536] __attribute__((aligned(16)));
              const pid_t child = clone(
                  +[](void*) -> int { _exit(Stop().outcome() == StopOutcome::kForeign ? 0 : 1); },
                  stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr);
              int status = -1;
              CHECK(waitpid(child, &status, 0) == child && status == 0);
              note_vfork(1);
              CHECK(Stop().outcome() == StopOutcome::kForeign);
              note_vfork(-1);
              CHECK(Stop().outcome() == StopOutcome::kStopped);
              note_foreign_sharer();
              CHECK(Stop().outcome() == StopOutcome::kForeign);
            }),
            0);
}

TEST(Processes, TheMainThreadMayHaveEnded) {
  EXPECT_EQ(status_of([] {
              const int main_thread = thread_id();
              std::thread([main_thread] {
                size_t rounds_alone = 0;
                while (rounds_alone < 20) {
                  Stop stop;
                  CHECK(stop.outcome() == StopOutcome::kStopped);
                  if (stop.find(main_thread) == nullptr) {
                    CHECK(stop.world().count == 1);
                    ++rounds_alone;
                  }
                }
                _exit(0);
              }).detach();
              syscall(SYS_exit, 0);  // the process goes on without it, as after pthread_exit
            }),
            0);
}

std::atomic<int> requests{0};
std::atomic<bool> request_inside{false};
std::atomic<uint64_t> request_cookie{0};

TEST(Requests, ReachTheHandlerWithTheirCookie) {
  EXPECT_EQ(status_of([] {
              set_request_handler([](uint64_t cookie, const void* context, bool may_free) {
                request_cookie = cookie;
                request_inside = may_free;
                CHECK(own_record()->state == kRunning);
                CHECK(context != nullptr);
                ++requests;
              });
              auto queue = [](int tid, uint64_t cookie) {
                siginfo_t info{};
                info.si_code = SI_QUEUE;
                info.si_pid = getpid();
                info.si_value.sival_ptr = reinterpret_cast<void*>(cookie);
                CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, HEAPRAKE_SIGNAL, &info) == 0);
              };
              const uint64_t cookie = HEAPRAKE_COOKIE_TAG << 48 | 12345;
              queue(thread_id(), cookie);
              CHECK(requests == 1 && request_cookie == cookie && !request_inside);
              int ends[2];
              CHECK(pipe(ends) == 0);
              std::atomic<int> tid{0};
              long got = 0;
              std::thread reader([&] {
                tid = thread_id();
                char byte;
                got = read_in_region(ends[0], &byte, 1);
                CHECK(interrupted_by_us_alone());
              });
              install_stop_signal();  // libc's is there since the first thread was made
              while (tid == 0 || find_record(tid) == nullptr || find_record(tid)->state != kSafe)
                usleep(100);
              usleep(10000);
              queue(tid, cookie + 1);
              while (requests != 2) usleep(100);
              CHECK(request_inside && request_cookie == cookie + 1);
              usleep(1000);
              CHECK(find_record(tid)->state == kSafe);
              CHECK(write(ends[1], "x", 1) == 1);
              reader.join();
              CHECK(got == 1);
            }),
            0);
}

TEST(Requests, AForeignSignalEndsTheProcessAsBefore) {
  const int status = status_of([] { syscall(SYS_tgkill, getpid(), thread_id(), HEAPRAKE_SIGNAL); });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), HEAPRAKE_SIGNAL);
}

TEST(Requests, AStaleStopIsIgnored) {
  EXPECT_EQ(status_of([] {
              const uint32_t generation = stop_state.generation;
              for (uint32_t stale = generation - 2; stale != generation + 3; ++stale)
                CHECK(send_stop_signal(getpid(), thread_id(), stale) == Sent::kYes);
              CHECK(Stop().outcome() == StopOutcome::kStopped);
            }),
            0);
}

}  // namespace
}  // namespace heaprake::platform
