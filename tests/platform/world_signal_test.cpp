// Stops under rains of signals, libc's own among them, in handlers and on alternate stacks.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <thread>
#include <vector>

#include "child_process.h"
#include "harness.h"
#include "heaprake/protocol.h"
#include "platform/sigaction.h"
#include "platform/stop_signal.h"
#include "platform/stop_state.h"

namespace heaprake::platform {
namespace {

std::atomic<int> handler_steps{0};

void count_in_handler(int) {
  ++handler_steps;
}

void trusted(int) {
  const SavedRegion saved =
      leave_region_for_handler(static_cast<uintptr_t*>(__builtin_frame_address(0)), nullptr);
  ++handler_steps;
  reenter_region_after_handler(saved);
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

void limit_signal_queue(rlim_t entries) {
  rlimit limit;
  CHECK(getrlimit(RLIMIT_SIGPENDING, &limit) == 0);
  limit.rlim_cur = entries == RLIM_INFINITY ? limit.rlim_max : entries;
  CHECK(setrlimit(RLIMIT_SIGPENDING, &limit) == 0);
}

// No signal with a value can be queued. Some threads run, and some are in regions, which the signal
// may find first.
TEST(FullSignalQueue, EveryThreadStopsAllTheSame) {
  EXPECT_EQ(status_of([] {
              constexpr int kThreads = 8;
              int ends[2];
              CHECK(pipe(ends) == 0);
              std::atomic<int> tids[kThreads] = {};
              std::vector<std::thread> threads;
              for (int i = 0; i < kThreads; ++i) {
                threads.emplace_back([&, i] {
                  tids[i] = thread_id();
                  char byte;
                  if (i % 2 != 0) CHECK(read_in_region(ends[0], &byte, 1) == 1);
                  while (!done) ++steps;
                });
              }
              for (int i = 0; i < kThreads; ++i)
                while (tids[i] == 0 || (i % 2 != 0 && find_record(tids[i]) == nullptr)) usleep(100);
              for (int round = 0; round < 15; ++round) {
                limit_signal_queue(round % 3 == 2 ? RLIM_INFINITY : 0);
                Stop stop;
                CHECK(stop.outcome() == StopOutcome::kStopped);
                const uint64_t before = steps;
                for (int i = 0; i < kThreads; ++i) CHECK(stop.find(tids[i]) != nullptr);
                for (int i = 0; i < 10; ++i) syscall(SYS_sched_yield);
                CHECK(steps == before);
              }
              done = true;
              CHECK(write(ends[1], "12345678", kThreads) == kThreads);
              for (auto& thread : threads) thread.join();
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
