// sigaction and its relatives behave as without the library.
#include <errno.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "tests/blocking/signal_tools.h"

extern "C" void (*bsd_signal(int, void (*)(int)) noexcept)(int);

namespace {

std::atomic<int> runs{0};
void count_run(int) {
  ++runs;
}
void other(int) {
  runs += 100;
}
void with_info(int, siginfo_t*, void*) {
  ++runs;
}

TEST(Sigaction, GivesTheProgramsOwnHandlerBack) {
  Kept kept(SIGUSR1);
  struct sigaction action = action_of(count_run, SA_NODEFER | SA_ONSTACK);
  sigaddset(&action.sa_mask, SIGHUP);
  ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  struct sigaction old;
  ASSERT_EQ(sigaction(SIGUSR1, nullptr, &old), 0);
  EXPECT_EQ(old.sa_handler, count_run);
  EXPECT_EQ(old.sa_flags & ~0x04000000, SA_NODEFER | SA_ONSTACK);
  EXPECT_TRUE(sigismember(&old.sa_mask, SIGHUP));
  struct sigaction next {};
  next.sa_sigaction = with_info;
  next.sa_flags = SA_SIGINFO;
  // The same object as new and old action, which libc allows.
  struct sigaction* const same = &next;
  ASSERT_EQ(sigaction(SIGUSR1, &next, same), 0);
  EXPECT_EQ(next.sa_handler, count_run);
  ASSERT_EQ(sigaction(SIGUSR1, nullptr, &old), 0);
  EXPECT_EQ(old.sa_sigaction, with_info);
  EXPECT_TRUE((old.sa_flags & SA_SIGINFO) != 0);
}

TEST(Sigaction, KeepsDefaultAndIgnore) {
  Kept kept(SIGUSR1);
  EXPECT_NE(signal(SIGUSR1, SIG_IGN), SIG_ERR);
  EXPECT_EQ(signal(SIGUSR1, SIG_DFL), SIG_IGN);
  EXPECT_EQ(signal(SIGUSR1, count_run), SIG_DFL);
  EXPECT_EQ(signal(SIGUSR1, other), count_run);
  EXPECT_EQ(signal(SIGUSR1, SIG_IGN), other);
  runs = 0;
  raise(SIGUSR1);
  EXPECT_EQ(runs, 0);
}

TEST(Sigaction, OlderRelatives) {
  Kept kept(SIGUSR1);
  signal(SIGUSR1, SIG_DFL);
  EXPECT_EQ(bsd_signal(SIGUSR1, count_run), SIG_DFL);
  EXPECT_EQ(ssignal(SIGUSR1, other), count_run);
  EXPECT_EQ(sysv_signal(SIGUSR1, count_run), other);
  runs = 0;
  raise(SIGUSR1);  // runs once, and is default again
  EXPECT_EQ(runs, 1);
  struct sigaction old;
  sigaction(SIGUSR1, nullptr, &old);
  EXPECT_EQ(old.sa_handler, SIG_DFL);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  EXPECT_EQ(sigset(SIGUSR1, other), SIG_DFL);
  EXPECT_EQ(sigset(SIGUSR1, SIG_HOLD), other);
  EXPECT_EQ(sigset(SIGUSR1, count_run), SIG_HOLD);
  sigrelse(SIGUSR1);
  EXPECT_EQ(siginterrupt(SIGUSR1, 1), 0);
  sigaction(SIGUSR1, nullptr, &old);
  EXPECT_EQ(old.sa_handler, count_run);
  EXPECT_EQ(old.sa_flags & SA_RESTART, 0);
#pragma GCC diagnostic pop
}

TEST(Sigaction, RefusesWhatLibcRefuses) {
  for (int bad : {0, -1, 32, 33, 65, 1000, SIGKILL, SIGSTOP}) {
    struct sigaction action = action_of(count_run, 0);
    errno = 0;
    EXPECT_EQ(sigaction(bad, &action, nullptr), -1) << bad;
    EXPECT_EQ(errno, EINVAL) << bad;
    errno = 0;
    EXPECT_EQ(signal(bad, count_run), SIG_ERR) << bad;
    EXPECT_EQ(errno, EINVAL) << bad;
  }
  errno = 0;
  EXPECT_EQ(signal(SIGUSR1, SIG_ERR), SIG_ERR);
  EXPECT_EQ(errno, EINVAL);
}

std::atomic<int> depth{0}, deepest{0}, value{0};
std::atomic<bool> on_altstack{false};
char* altstack_low = nullptr;
constexpr size_t kAltstack = 64 * 1024;

TEST(Sigaction, FlagsMeanWhatTheyMean) {
  Kept kept(SIGUSR1);
  struct sigaction action = action_of(count_run, SA_RESETHAND);
  sigaction(SIGUSR1, &action, nullptr);
  runs = 0;
  raise(SIGUSR1);
  EXPECT_EQ(runs, 1);
  struct sigaction old;
  sigaction(SIGUSR1, nullptr, &old);
  EXPECT_EQ(old.sa_handler, SIG_DFL);

  depth = deepest = 0;
  auto nest = [](int signal) {
    if (++depth > deepest) deepest = depth.load();
    if (depth < 3) raise(signal);
    --depth;
  };
  action = action_of(nest, SA_NODEFER);
  sigaction(SIGUSR1, &action, nullptr);
  raise(SIGUSR1);
  EXPECT_EQ(deepest, 3);

  action = {};
  action.sa_sigaction = [](int signal, siginfo_t* info, void* context) {
    value = info->si_signo == signal && context ? info->si_value.sival_int : -1;
  };
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR1, &action, nullptr);
  sigval sent;
  sent.sival_int = 4711;
  sigqueue(getpid(), SIGUSR1, sent);
  EXPECT_EQ(value, 4711);
}

TEST(Sigaction, AlternateStack) {
  Kept kept(SIGUSR1);
  std::vector<char> memory(kAltstack);
  altstack_low = memory.data();
  stack_t stack{};
  stack.ss_sp = altstack_low;
  stack.ss_size = kAltstack;
  ASSERT_EQ(sigaltstack(&stack, nullptr), 0);
  struct sigaction action = action_of(
      [](int) {
        char here;
        on_altstack = &here >= altstack_low && &here < altstack_low + kAltstack;
        free(malloc(1000));
      },
      SA_ONSTACK);
  sigaction(SIGUSR1, &action, nullptr);
  raise(SIGUSR1);
  EXPECT_TRUE(on_altstack);
  stack_t old;
  stack.ss_flags = SS_DISABLE;
  EXPECT_EQ(sigaltstack(&stack, &old), 0);
  EXPECT_EQ(old.ss_sp, memory.data());
}

TEST(Sigaction, FromAHandlerAndFromManyThreads) {
  Kept one(SIGUSR1), two(SIGRTMIN);
  signal(SIGUSR1, [](int) {
    struct sigaction action = action_of(count_run, 0), old;
    sigaction(SIGRTMIN, &action, &old);
  });
  raise(SIGUSR1);
  runs = 0;
  raise(SIGRTMIN);
  EXPECT_EQ(runs, 1);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&wrong, i] {
      for (int round = 0; round < 2000; ++round) {
        auto old = signal(SIGRTMIN, (i + round) % 2 ? count_run : other);
        if (old != count_run && old != other) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// As many handlers as one likes: a function each.
template <size_t I>
void numbered(int) {
  value = static_cast<int>(I);
}
template <size_t... I>
std::vector<void (*)(int)> all_numbered(std::index_sequence<I...>) {
  return {numbered<I>...};
}

TEST(Sigaction, ManyHandlers) {
  // In a child: so many handlers use up what there is for a process.
  const pid_t child = fork();
  if (child == 0) {
    int wrong = 0;
    const auto handlers = all_numbered(std::make_index_sequence<1500>());
    signal(SIGUSR1, count_run);
    void (*last)(int) = count_run;
    for (size_t i = 0; i < handlers.size(); ++i) {
      wrong += signal(SIGUSR1, handlers[i]) != last;
      last = handlers[i];
      raise(SIGUSR1);
      wrong += value != static_cast<int>(i);
    }
    _exit(wrong == 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(Sigaction, ChildrenOfVforkLeaveTheParentsHandlers) {
  Kept kept(SIGUSR1);
  signal(SIGUSR1, count_run);
  const pid_t child = vfork();
  if (child == 0) {
    signal(SIGUSR1, other);
    signal(SIGUSR1, SIG_DFL);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  struct sigaction old;
  sigaction(SIGUSR1, nullptr, &old);
  EXPECT_EQ(old.sa_handler, count_run);
}

}  // namespace
