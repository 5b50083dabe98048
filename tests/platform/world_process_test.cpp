// Stops in awkward processes. Each case runs in a child of its own, since it changes how the
// process handles signals for good; its exit status is the verdict.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <thread>
#include <vector>

#include "harness.h"
#include "heaprake/protocol.h"
#include "platform/sigaction.h"
#include "platform/stop_signal.h"
#include "platform/stop_state.h"

namespace heaprake::platform {
namespace {

#define CHECK(condition)                                                                \
  do {                                                                                  \
    if (!(condition)) {                                                                 \
      fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
      _exit(1);                                                                         \
    }                                                                                   \
  } while (false)

template <class F>
int status_of(F body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // a hang is a failure, not a wait
    start_threads();
    install_stop_signal();
    body();
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

// Whoever runs this must not move while the world is stopped.
std::atomic<uint64_t> steps{0};
std::atomic<int> handler_steps{0};
std::atomic<bool> done{false};

void count_in_handler(int) {
  ++handler_steps;
}

void trusted(int) {
  const SavedRegion saved =
      leave_region_for_handler(static_cast<uintptr_t*>(__builtin_frame_address(0)));
  ++handler_steps;
  reenter_region_after_handler(saved);
}

void install_raw(int signal, void (*handler)(int)) {
  // Through libc for its restorer, but to the kernel's table as any raw call would.
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  CHECK(sigaction(signal, &action, nullptr) == 0);
}

// Threads that loop through regions, timers that rain signals on them, and stops in between.
void storm(void (*handler)(int)) {
  install_raw(SIGALRM, handler);
  install_raw(SIGUSR1, handler);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      while (!done) {
        struct timespec pause {
          0, 30000
        };
        ++steps;
        test_region_call(address_of(&::nanosleep), reinterpret_cast<long>(&pause), 0);
        ++steps;
      }
    });
  }
  std::thread sender([&] {
    for (size_t i = 0; !done; ++i) {
      pthread_kill(threads[i % threads.size()].native_handle(), SIGUSR1);
      usleep(50);
    }
  });
  struct itimerval timer = {{0, 300}, {0, 300}};
  setitimer(ITIMER_REAL, &timer, nullptr);
  int stopped = 0;
  for (int round = 0; round < 300; ++round) {
    Stop stop;
    if (stop.outcome() != StopOutcome::kStopped) continue;
    ++stopped;
    const uint64_t steps_before = steps;
    const int handlers_before = handler_steps;
    for (int i = 0; i < 10; ++i) syscall(SYS_sched_yield);
    CHECK(steps == steps_before);
    CHECK(handler_steps == handlers_before);
  }
  timer = {};
  setitimer(ITIMER_REAL, &timer, nullptr);
  done = true;
  sender.join();
  for (auto& thread : threads) thread.join();
  CHECK(stopped > 270);
  CHECK(handler_steps > 100);
}

TEST(SignalStorm, HandlersOutsideTheTrampolineDoNotRunEither) {
  EXPECT_EQ(status_of([] {
              storm(count_in_handler);
              CHECK(!handlers_are_trusted());
            }),
            0);
}

TEST(SignalStorm, HandlersThroughTheTrampoline) {
  EXPECT_EQ(status_of([] {
              const auto entry = reinterpret_cast<uintptr_t>(&trusted);
              set_trusted_signal_entries({entry, entry + 1});
              storm(trusted);
              CHECK(handlers_are_trusted());
            }),
            0);
}

TEST(LibcSignal, SetgidReachesEveryThread) {
  EXPECT_EQ(status_of([] {
              std::vector<std::thread> threads;
              for (int i = 0; i < 4; ++i) {
                threads.emplace_back([i] {
                  while (!done) {
                    struct timespec pause {
                      0, 100000
                    };
                    if (i % 2 != 0) {
                      test_region_call(address_of(&::nanosleep), reinterpret_cast<long>(&pause), 0);
                    }
                    ++steps;
                  }
                });
              }
              install_stop_signal();  // libc has put its own handler there by now
              KernelSigaction action{};
              CHECK(get_action(HEAPRAKE_SIGNAL, &action));
              CHECK(action.handler == stop_handler_address());
              std::thread changer([] {
                for (int i = 0; i < 200; ++i) CHECK(setgid(getgid()) == 0);
                done = true;
              });
              while (!done) {
                Stop stop;
                CHECK(stop.outcome() == StopOutcome::kStopped);
              }
              changer.join();
              for (auto& thread : threads) thread.join();
            }),
            0);
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
              CHECK(Stop().outcome() == StopOutcome::kStopped);
              const pid_t child = fork();
              if (child == 0) {
                CHECK(Stop().outcome() == StopOutcome::kForeign);  // not told yet
                reset_threads_after_fork();
                std::thread spinner([] {
                  while (!done) ++steps;
                });
                for (int round = 0; round < 100; ++round) {
                  Stop stop;
                  CHECK(stop.outcome() == StopOutcome::kStopped);
                  CHECK(stop.world().count == 2);
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

// A handler on an alternate stack: both stacks must be known to the scanner.
TEST(AlternateStack, IsReported) {
  EXPECT_EQ(status_of([] {
              static char stack[65536];
              std::atomic<int> tid{0};
              static std::atomic<bool> in_handler{false};
              install_raw(SIGUSR2, [](int) {
                in_handler = true;
                while (!done) ++steps;
              });
              std::thread thread([&] {
                const stack_t alternate = {stack, 0, sizeof stack};
                CHECK(sigaltstack(&alternate, nullptr) == 0);
                struct sigaction action {};
                sigaction(SIGUSR2, nullptr, &action);
                action.sa_flags |= SA_ONSTACK;
                sigaction(SIGUSR2, &action, nullptr);
                tid = thread_id();
                raise(SIGUSR2);
              });
              while (!in_handler) std::this_thread::yield();
              {
                Stop stop;
                CHECK(stop.outcome() == StopOutcome::kStopped);
                const StoppedThread* stopped = stop.find(tid);
                CHECK(stopped != nullptr);
                const auto base = reinterpret_cast<uintptr_t>(stack);
                CHECK(stopped->altstack == base);
                CHECK(stopped->sp - base < sizeof stack);
              }
              done = true;
              thread.join();
            }),
            0);
}

// The kernel kills a program whose alternate stack cannot hold the frame of a signal meant for it.
TEST(AlternateStack, ATinyOneIsNotUsed) {
  EXPECT_EQ(status_of([] {
              static char stack[2048];
              std::atomic<bool> ready{false};
              std::thread thread([&] {
                const stack_t alternate = {stack, 0, sizeof stack};
                CHECK(sigaltstack(&alternate, nullptr) == 0);
                note_altstack(reinterpret_cast<uintptr_t>(stack));
                ready = true;
                while (!done) ++steps;
              });
              while (!ready) std::this_thread::yield();
              for (int round = 0; round < 20; ++round)
                CHECK(Stop().outcome() == StopOutcome::kStopped);
              done = true;
              thread.join();
            }),
            0);
}

TEST(AlternateStack, IsNotedInRegions) {
  EXPECT_EQ(status_of([] {
              static char stack[65536];
              int ends[2];
              CHECK(pipe(ends) == 0);
              std::atomic<int> tid{0};
              std::thread thread([&] {
                char byte;
                read_in_region(-1, &byte, 1);  // the record is made without an alternate stack
                const stack_t alternate = {stack, 0, sizeof stack};
                CHECK(sigaltstack(&alternate, nullptr) == 0);
                note_altstack(reinterpret_cast<uintptr_t>(stack));
                tid = thread_id();
                read_in_region(ends[0], &byte, 1);
              });
              while (tid == 0 || find_record(tid)->state != kSafe) usleep(100);
              {
                Stop stop;
                CHECK(stop.outcome() == StopOutcome::kStopped);
                CHECK(stop.find(tid)->altstack == reinterpret_cast<uintptr_t>(stack));
              }
              CHECK(write(ends[1], "x", 1) == 1);
              thread.join();
            }),
            0);
}

}  // namespace
}  // namespace heaprake::platform
