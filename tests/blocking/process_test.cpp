// vfork, clone, spawn and threads of odd kinds while the world is stopped over and over.
#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/blocking/disturber.h"
#include "tests/blocking/situation.h"

extern "C" int early_failures;

namespace {

TEST(Start, CallsWorkBeforeTheLibraryHasStarted) {
  EXPECT_EQ(early_failures, 0);
}

struct Link {
  Link* next;
  long number;
};

// Makes blocks that only the frames of this recursion refer to, lets the world be stopped without
// making any call that may block, and looks at them on the way back. Wrong if a collection took
// this thread for one that stands still with an older stack.
__attribute__((noinline)) bool blocks_on_the_stack_live(const Disturber& disturber, long depth) {
  std::unique_ptr<Link> mine(new Link{nullptr, depth});
  bool right = true;
  if (depth > 0) {
    right = blocks_on_the_stack_live(disturber, depth - 1);
  } else {
    const uint64_t enough = disturber.stops() + 5;
    while (disturber.stops() < enough) sched_yield();
  }
  return right && mine->number == depth;
}

int exit_status(pid_t child) {
  int status = -1;
  pid_t got;
  do {
    got = waitpid(child, &status, 0);
  } while (got < 0 && errno == EINTR);
  if (got != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(Vfork, ExecutesPrograms) {
  Disturber disturber;
  for (int i = 0; i < 30; ++i) {
    const pid_t child = vfork();
    if (child == 0) {
      execl("/bin/sh", "sh", "-c", "exit 9", nullptr);
      _exit(127);
    }
    ASSERT_GT(child, 0);
    EXPECT_EQ(exit_status(child), 9);
  }
  EXPECT_TRUE(blocks_on_the_stack_live(disturber, 100));
}

TEST(Vfork, TheChildMayBlock) {
  Disturber disturber;
  auto pipe = Pair::pipe();
  std::thread writer([&] {
    disturber.await_tries(3);  // none succeeds while the child runs
    (void)!write(pipe->fd[1], "x", 1);
  });
  const pid_t child = vfork();
  if (child == 0) {
    char byte;
    const bool got = read(pipe->fd[0], &byte, 1) == 1;
    const timespec time{0, 1000000};
    nanosleep(&time, nullptr);
    _exit(got ? 4 : 5);
  }
  EXPECT_EQ(exit_status(child), 4);
  writer.join();
  EXPECT_TRUE(blocks_on_the_stack_live(disturber, 100));
}

TEST(Vfork, TheChildMayDieInABlockedCall) {
  Disturber disturber;
  for (int i = 0; i < 5; ++i) {
    auto pipe = Pair::pipe();
    static volatile pid_t blocked;
    blocked = 0;
    std::thread killer([&] {
      while (blocked == 0) usleep(1000);
      usleep(5000);
      kill(blocked, SIGKILL);
    });
    const pid_t child = vfork();
    if (child == 0) {
      blocked = getpid();
      char byte;
      (void)!read(pipe->fd[0], &byte, 1);
      _exit(1);
    }
    EXPECT_TRUE(blocks_on_the_stack_live(disturber, 100));
    EXPECT_EQ(exit_status(child), 128 + SIGKILL);
    killer.join();
  }
  EXPECT_TRUE(!preloaded() || collect_at_last());
}

TEST(Vfork, FailsAsItDoes) {
  // In a child, whose limit leaves the others' alone; root is not limited.
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(2);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_NPROC, &none);
    errno = 0;
    const pid_t failed = vfork();
    if (failed == 0) _exit(0);
    _exit(failed == -1 && errno == EAGAIN ? 0 : 1);
  }
  EXPECT_EQ(exit_status(child), 0);
}

struct CloneArgument {
  int value;
  int seen;
};
int clone_body(void* p) {
  auto* argument = static_cast<CloneArgument*>(p);
  argument->seen = argument->value;
  const timespec time{0, 2000000};
  nanosleep(&time, nullptr);
  return 6;
}
constexpr size_t kStack = 256 * 1024;

// Runs no fork handlers. Older libcs have none, and a library in front of them may all the same.
TEST(Fork, WithoutHandlers) {
  const auto plain_fork = reinterpret_cast<pid_t (*)()>(dlsym(RTLD_DEFAULT, "_Fork"));
  if (plain_fork == nullptr) GTEST_SKIP() << "this libc has no _Fork";
  const Disturber disturber;
  for (int i = 0; i < 20; ++i) {
    const pid_t child = plain_fork();
    if (child < 0 && errno == ENOSYS) GTEST_SKIP() << "this libc has no _Fork";
    if (child == 0) {
      if (!preloaded()) _exit(0);  // libc's malloc may be locked
      std::vector<std::unique_ptr<Link>> links;
      for (long j = 0; j < 1000; ++j) links.emplace_back(new Link{nullptr, j});
      _exit(collect_at_last() && links[999]->number == 999 ? 0 : 1);
    }
    ASSERT_EQ(exit_status(child), 0);
  }
  disturber.await(3);
}

TEST(Clone, LikeVfork) {
  Disturber disturber;
  auto stack = std::make_unique<char[]>(kStack);
  CloneArgument argument{17, 0};
  pid_t parent_tid = 0, child_tid = 0;
  const pid_t child =
      clone(clone_body, stack.get() + kStack,
            CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, &argument,
            &parent_tid, nullptr, &child_tid);
  ASSERT_GT(child, 0);
  EXPECT_EQ(argument.seen, 17);
  EXPECT_EQ(parent_tid, child);
  EXPECT_EQ(child_tid, child);
  EXPECT_EQ(exit_status(child), 6);
  EXPECT_TRUE(blocks_on_the_stack_live(disturber, 100));
  EXPECT_TRUE(!preloaded() || collect_at_last());
}

TEST(Clone, LikeFork) {
  auto stack = std::make_unique<char[]>(kStack);
  CloneArgument argument{17, 0};
  const pid_t child = clone(clone_body, stack.get() + kStack, SIGCHLD, &argument);
  ASSERT_GT(child, 0);
  EXPECT_EQ(exit_status(child), 6);
  EXPECT_EQ(argument.seen, 0);
  EXPECT_TRUE(!preloaded() || collect_at_last());
}

TEST(Clone, RefusesBadArguments) {
  errno = 0;
  EXPECT_EQ(clone(nullptr, nullptr, CLONE_VM | CLONE_VFORK, nullptr), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_TRUE(!preloaded() || collect_at_last());
}

TEST(Clone, ASharerOfTheMemoryEndsCollection) {
  // In a child, since it is for ever.
  const pid_t child = fork();
  if (child == 0) {
    if (preloaded() && !collect_at_last()) _exit(1);
    auto stack = std::make_unique<char[]>(kStack);
    CloneArgument argument{17, 0};
    const pid_t sharer = clone(clone_body, stack.get() + kStack, CLONE_VM | SIGCHLD, &argument);
    if (preloaded() && collect()) _exit(2);
    if (exit_status(sharer) != 6) _exit(3);
    _exit(argument.seen == 17 ? 0 : 4);
  }
  EXPECT_EQ(exit_status(child), 0);
}

TEST(Processes, SpawnSystemAndPopen) {
  Disturber disturber;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(WEXITSTATUS(system("exit 3")), 3);
    FILE* pipe = popen("echo hello", "r");
    char line[16] = "";
    EXPECT_NE(fgets(line, sizeof line, pipe), nullptr);
    EXPECT_STREQ(line, "hello\n");
    EXPECT_EQ(pclose(pipe), 0);
    pid_t child = 0;
    char name[] = "true";
    char* arguments[] = {name, nullptr};
    ASSERT_EQ(posix_spawnp(&child, "true", nullptr, nullptr, arguments, environ), 0);
    EXPECT_EQ(exit_status(child), 0);
  }
}

TEST(Processes, ForkInTheMiddle) {
  Disturber disturber;
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      if (preloaded() && !collect_at_last()) _exit(1);
      usleep(1000);
      _exit(0);
    }
    EXPECT_EQ(exit_status(child), 0);
  }
}

TEST(Threads, SetgidReachesAllOfThem) {
  Disturber disturber;
  auto pipe = Pair::pipe();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      char byte;
      (void)!read(pipe->fd[0], &byte, 1);
    });
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(setgid(getgid()), 0);
  (void)!write(pipe->fd[1], "abcd", 4);
  for (auto& thread : threads) thread.join();
}

TEST(Threads, OnStacksOfTheProgramsOwn) {
  Disturber disturber;
  for (int i = 0; i < 5; ++i) {
    void* stack = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    EXPECT_EQ(pthread_attr_setstack(&attributes, stack, kStack), 0);
    pthread_t thread;
    ASSERT_EQ(pthread_create(
                  &thread, &attributes,
                  [](void* p) -> void* {
                    return reinterpret_cast<void*>(
                        blocks_on_the_stack_live(*static_cast<Disturber*>(p), 100));
                  },
                  &disturber),
              0);
    void* right = nullptr;
    pthread_join(thread, &right);
    EXPECT_NE(right, nullptr);
    pthread_attr_destroy(&attributes);
    munmap(stack, kStack);
  }
}

TEST(Threads, ManyShortOnes) {
  Disturber disturber;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 100; ++i) {
    std::thread a([&] { wrong += !blocks_on_the_stack_live(disturber, 3); });
    std::thread b([&] { usleep(100); });
    a.join();
    b.join();
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
