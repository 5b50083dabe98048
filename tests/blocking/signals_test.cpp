// Signal handlers: what the program sees of them, and what they may do in the middle of a blocked
// call, while the world is stopped over and over.
#include <errno.h>
#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "tests/blocking/disturber.h"
#include "tests/blocking/situation.h"

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

// Puts a signal's action back in the end.
class Kept {
 public:
  explicit Kept(int signal) : signal_(signal) { sigaction(signal, nullptr, &action_); }
  ~Kept() { sigaction(signal_, &action_, nullptr); }

 private:
  int signal_;
  struct sigaction action_;
};

struct sigaction action_of(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  return action;
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

// Sends `signal` to `target` again and again until it is told to end.
class Sender {
 public:
  Sender(pthread_t target, int signal, useconds_t pause)
      : thread_([=, this] {
          while (!done_) {
            pthread_kill(target, signal);
            usleep(pause);
          }
        }) {}
  ~Sender() {
    done_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::thread thread_;
};

TEST(Handlers, TheProgramsOwnSignalsStillInterrupt) {
  Kept kept(SIGALRM);
  Disturber disturber;
  for (int flags : {0, SA_RESTART}) {
    auto pipe = Pair::pipe();
    struct sigaction action = action_of(
        flags == 0 ? [](int) { ++runs; }
                   : [](int) {
                       static int restarted = 0;
                       ++runs;
                       ++restarted;
                     },
        flags);
    sigaction(SIGALRM, &action, nullptr);
    runs = 0;
    std::atomic<bool> begun{false};
    long result = 0;
    int error = 0;
    std::thread reader([&] {
      char byte;
      begun = true;
      result = read(pipe->fd[0], &byte, 1);
      error = errno;
    });
    while (!begun) usleep(1000);
    disturber.await(5);
    // Until one has come while it was blocked.
    for (int i = 0; i < (flags == 0 ? 1 : 5); ++i) {
      usleep(20000);
      pthread_kill(reader.native_handle(), SIGALRM);
      disturber.await(2);
    }
    if (flags != 0) (void)!write(pipe->fd[1], "x", 1);
    reader.join();
    EXPECT_EQ(result, flags == 0 ? -1 : 1);
    EXPECT_TRUE(flags != 0 || error == EINTR);
    EXPECT_GT(runs, 0);
  }
}

TEST(Handlers, InterruptedSleepsTellWhatIsLeft) {
  Kept kept(SIGALRM);
  Disturber disturber;
  struct sigaction action = action_of(count_run, SA_RESTART);
  sigaction(SIGALRM, &action, nullptr);
  timespec left{0, 0};
  long result = 0;
  int error = 0;
  unsigned whole = 0;
  std::atomic<int> stage{0};
  std::thread sleeper([&] {
    const timespec long_time{1000, 0};
    stage = 1;
    result = nanosleep(&long_time, &left);
    error = errno;
    stage = 2;
    whole = sleep(1000);
  });
  while (stage < 1) usleep(1000);
  usleep(50000);
  disturber.await(3);
  pthread_kill(sleeper.native_handle(), SIGALRM);
  while (stage < 2) usleep(1000);
  usleep(50000);
  disturber.await(3);
  pthread_kill(sleeper.native_handle(), SIGALRM);
  sleeper.join();
  EXPECT_EQ(result, -1);
  EXPECT_EQ(error, EINTR);
  EXPECT_GT(left.tv_sec, 900);
  EXPECT_LT(left.tv_sec, 1000);
  EXPECT_GT(whole, 900u);
  EXPECT_LT(whole, 1000u);
}

thread_local sigjmp_buf jump_target;
std::atomic<int> jumps{0};

TEST(Handlers, MayJumpOutOfABlockedCall) {
  Kept kept(SIGUSR1);
  Disturber disturber;
  struct sigaction action = action_of(
      [](int) {
        ++jumps;
        siglongjmp(jump_target, 1);
      },
      0);
  sigaction(SIGUSR1, &action, nullptr);
  jumps = 0;
  auto pipe = Pair::pipe();
  std::atomic<bool> wrong{false};
  sigset_t set, kept_set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, &kept_set);  // the thread begins so
  std::thread reader([&] {
    // What a jump must not lose is kept outside the frame that it jumps to.
    auto rounds = std::make_unique<int>(0);
    for (const int& i = *rounds; i < 200; ++*rounds) {
      pthread_sigmask(SIG_BLOCK, &set, nullptr);
      auto* volatile kept_block = new std::vector<int>(100, i);
      if (sigsetjmp(jump_target, 1) == 0) {
        pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
        char byte;
        (void)!read(pipe->fd[0], &byte, 1);
      }
      // What only this thread's stack knows is still there: it was not taken for a stopped thread
      // with an older stack.
      if (kept_block->size() != 100 || (*kept_block)[99] != i) wrong = true;
      delete kept_block;
    }
  });
  pthread_sigmask(SIG_SETMASK, &kept_set, nullptr);
  while (jumps < 200) {
    pthread_kill(reader.native_handle(), SIGUSR1);
    usleep(500);
  }
  reader.join();
  EXPECT_FALSE(wrong);
  EXPECT_GE(jumps, 200);
}

struct Link {
  Link* next;
  long number;
};
thread_local Link* chain = nullptr;
std::atomic<int> broken{0};

void rebuild_chain(int) {
  const int kept_errno = errno;
  long expected = 0;
  for (Link* link = chain; link; link = link->next) broken += link->number != expected++;
  if (expected != 0 && expected != 50) ++broken;
  chain = nullptr;  // dropped, for the collector
  for (long i = 49; i >= 0; --i) chain = new Link{chain, i};
  ++runs;
  errno = kept_errno;
}

TEST(Handlers, MayAllocateInTheMiddleOfABlockedCall) {
  Kept kept(SIGUSR1);
  Disturber disturber;
  struct sigaction action = action_of(rebuild_chain, SA_RESTART);
  sigaction(SIGUSR1, &action, nullptr);
  runs = broken = 0;
  auto pipe = Pair::pipe();
  std::thread reader([&] {
    char byte;
    (void)!read(pipe->fd[0], &byte, 1);
  });
  const uint64_t before = disturber.stops();
  while (runs < 300 || disturber.stops() < before + 50) {
    pthread_kill(reader.native_handle(), SIGUSR1);
    usleep(200);
  }
  (void)!write(pipe->fd[1], "x", 1);
  reader.join();
  EXPECT_EQ(broken, 0);
}

TEST(Handlers, MayBlockThemselves) {
  Kept kept(SIGUSR1);
  Disturber disturber;
  static std::shared_ptr<Pair> inner;
  inner = Pair::pipe();
  static std::atomic<bool> entered;
  entered = false;
  struct sigaction action = action_of(
      [](int) {
        entered = true;
        char byte;
        (void)!read(inner->fd[0], &byte, 1);
      },
      SA_RESTART);
  sigaction(SIGUSR1, &action, nullptr);
  auto outer = Pair::pipe();
  long result = 0;
  std::thread reader([&] {
    char bytes[2];
    result = read(outer->fd[0], bytes, 2);
  });
  disturber.await(3);
  pthread_kill(reader.native_handle(), SIGUSR1);
  while (!entered) usleep(1000);
  disturber.await(5);
  (void)!write(inner->fd[1], "x", 1);
  disturber.await(5);
  (void)!write(outer->fd[1], "xy", 2);
  reader.join();
  EXPECT_EQ(result, 2);
}

TEST(Handlers, ChildSignalsAndWait) {
  Kept kept(SIGCHLD);
  Disturber disturber;
  struct sigaction action = action_of(count_run, SA_RESTART);
  sigaction(SIGCHLD, &action, nullptr);
  runs = 0;
  for (int i = 0; i < 50; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(i);
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(WEXITSTATUS(status), i);
  }
  EXPECT_GT(runs, 0);
}

TEST(Handlers, IgnoredSignalsStayIgnoredInChildren) {
  Kept kept(SIGUSR1);
  signal(SIGUSR1, SIG_IGN);
  const int status = std::system("kill -USR1 $$; exit 3");
  EXPECT_EQ(WEXITSTATUS(status), 3);
}

}  // namespace
