// pthread_cancel in blocked calls: what was a cancellation point is one still, what was none is
// none.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>

#include "tests/blocking/disturber.h"
#include "tests/blocking/situation.h"

namespace {

struct Canceled {
  std::function<void()> call;
  std::atomic<bool> begun{false};
  std::atomic<int> cleaned{0};
  std::atomic<bool> returned{false};
};

struct Guard {
  Canceled* state;
  ~Guard() { ++state->cleaned; }
};

void* body(void* p) {
  auto* state = static_cast<Canceled*>(p);
  Guard guard{state};
  pthread_cleanup_push([](void* q) { ++static_cast<Canceled*>(q)->cleaned; }, state);
  state->begun = true;
  state->call();
  state->returned = true;
  pthread_cleanup_pop(0);
  return nullptr;
}

// Cancels a thread that is blocked in `call`; true if that ended the call.
void expect_canceled(const char* what, std::function<void()> call) {
  Disturber disturber;
  Canceled state;
  state.call = std::move(call);
  pthread_t thread;
  pthread_create(&thread, nullptr, body, &state);
  while (!state.begun) usleep(1000);
  disturber.await(5);
  pthread_cancel(thread);
  void* result = nullptr;
  pthread_join(thread, &result);
  EXPECT_EQ(result, PTHREAD_CANCELED) << what;
  EXPECT_EQ(state.cleaned, 2) << what;
  EXPECT_FALSE(state.returned) << what;
  // The thread's end left nothing behind that stands in the way of a stop.
  EXPECT_TRUE(!preloaded() || collect_at_last()) << what;
}

TEST(Cancel, EndsBlockedCalls) {
  auto pipe = Pair::pipe();
  auto sockets = Pair::sockets();
  expect_canceled("read", [=] {
    char byte;
    (void)!read(pipe->fd[0], &byte, 1);
  });
  expect_canceled("recv", [=] {
    char byte;
    recv(sockets->fd[0], &byte, 1, 0);
  });
  expect_canceled("recvmsg", [=] {
    msghdr message{};
    recvmsg(sockets->fd[0], &message, 0);
  });
  expect_canceled("poll", [=] {
    pollfd wait{pipe->fd[0], POLLIN, 0};
    poll(&wait, 1, 1000000);
  });
  expect_canceled("select", [=] {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pipe->fd[0], &set);
    select(pipe->fd[0] + 1, &set, nullptr, nullptr, nullptr);
  });
  expect_canceled("epoll_wait", [] {
    epoll_event event;
    epoll_wait(epoll_create1(0), &event, 1, -1);
  });
  expect_canceled("nanosleep", [] {
    timespec time{1000, 0};
    nanosleep(&time, nullptr);
  });
  expect_canceled("sleep", [] { sleep(1000); });
  expect_canceled("usleep", [] { usleep(900000000); });
  expect_canceled("pause", [] { pause(); });
  expect_canceled("sigwait", [] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    int signal;
    sigwait(&set, &signal);
  });
  expect_canceled("sem_wait", [] {
    sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    sem_wait(&semaphore);
  });
  expect_canceled("accept", [] {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    listen(fd, 1);
    accept(fd, nullptr, nullptr);
  });
  pipe->fill();
  expect_canceled("write", [=] { (void)!write(pipe->fd[1], "x", 1); });
  expect_canceled("writev", [=] {
    iovec part{const_cast<char*>("x"), 1};
    (void)!writev(pipe->fd[1], &part, 1);
  });
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  expect_canceled("waitpid", [=] { waitpid(child, nullptr, 0); });
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST(Cancel, ConditionWaitsHoldTheMutexInCleanup) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  expect_canceled("pthread_cond_wait", [&] {
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push([](void*) { pthread_mutex_unlock(&mutex); }, nullptr);
    for (;;) pthread_cond_wait(&condition, &mutex);
    pthread_cleanup_pop(0);
  });
  EXPECT_EQ(pthread_mutex_trylock(&mutex), 0);
  pthread_mutex_unlock(&mutex);
}

TEST(Cancel, AsynchronousCancellation) {
  auto pipe = Pair::pipe();
  expect_canceled("read, asynchronous", [=] {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
    char byte;
    for (;;) (void)!read(pipe->fd[0], &byte, 1);
  });
}

// A call that is no cancellation point goes on to its own end.
void expect_not_canceled(const char* what, std::function<void()> call,
                         std::function<void()> release) {
  Disturber disturber;
  Canceled state;
  state.call = std::move(call);
  pthread_t thread;
  pthread_create(&thread, nullptr, body, &state);
  while (!state.begun) usleep(1000);
  disturber.await(5);
  pthread_cancel(thread);
  disturber.await(5);
  release();
  void* result = nullptr;
  pthread_join(thread, &result);
  EXPECT_TRUE(state.returned) << what;
  EXPECT_EQ(result, nullptr) << what;
}

TEST(Cancel, MakesNoNewCancellationPoints) {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 2);
  expect_not_canceled(
      "pthread_barrier_wait", [&] { pthread_barrier_wait(&barrier); },
      [&] { pthread_barrier_wait(&barrier); });
  std::atomic<int> word{0};
  expect_not_canceled(
      "syscall",
      [&] {
        while (word == 0) syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, nullptr);
      },
      [&] {
        word = 1;
        syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
      });
  const int first = open("/tmp", O_RDONLY), second = open("/tmp", O_RDONLY);
  flock(first, LOCK_EX);
  expect_not_canceled(
      "flock", [=] { flock(second, LOCK_EX); }, [=] { flock(first, LOCK_UN); });
  close(first);
  close(second);
}

TEST(Cancel, ExitFromAHandlerInABlockedCall) {
  Disturber disturber;
  struct sigaction action {};
  action.sa_handler = [](int) { pthread_exit(reinterpret_cast<void*>(5)); };
  struct sigaction old;
  sigaction(SIGUSR1, &action, &old);
  for (int i = 0; i < 20; ++i) {
    auto pipe = Pair::pipe();
    Canceled state;
    state.call = [=] {
      char byte;
      (void)!read(pipe->fd[0], &byte, 1);
    };
    pthread_t thread;
    pthread_create(&thread, nullptr, body, &state);
    while (!state.begun) usleep(1000);
    disturber.await(2);
    pthread_kill(thread, SIGUSR1);
    void* result = nullptr;
    pthread_join(thread, &result);
    EXPECT_EQ(result, reinterpret_cast<void*>(5));
    EXPECT_EQ(state.cleaned, 2);
  }
  sigaction(SIGUSR1, &old, nullptr);
}

}  // namespace
