// What handlers may do in the middle of a blocked call, while the world is stopped over and over.
#include <errno.h>
#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "tests/blocking/disturber.h"
#include "tests/blocking/signal_tools.h"
#include "tests/blocking/situation.h"

namespace {

std::atomic<int> runs{0};
void count_run(int) {
  ++runs;
}
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
