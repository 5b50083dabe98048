// Signal handlers: a collection there only marks. Finalizers may take locks and allocate, which the
// interrupted code may be in the middle of, so that none runs in a handler, whatever was
// interrupted.
#include <poll.h>
#include <semaphore.h>
#include <sys/time.h>

#include <cerrno>
#include <csignal>
#include <ctime>

#include "steps.h"

namespace {

// How often handlers and finalizers have run; on one thread.
volatile bool in_handler;
volatile size_t handled, finalized, finalized_in_handler, reported;

void finalize(void*, void*) {
  finalized = finalized + 1;
  if (in_handler) finalized_in_handler = finalized_in_handler + 1;
}

void handle(int) {
  in_handler = true;
  reported = reported + gc_collect() + gc_run_finalizers();
  handled = handled + 1;
  in_handler = false;
}

STEP gc_id_t lose_with_finalizer() {
  Node* volatile p = new Node;
  gc_set_finalizer(p, finalize, nullptr);
  const gc_id_t id = gc_id(p);
  p = nullptr;
  return id;
}

void set_timer(int microseconds) {
  const itimerval timer = {{0, microseconds}, {0, microseconds}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

// Runs work(), interrupted by the handler every now and then.
template <class Work>
void disturb(Work work) {
  struct sigaction action = {};
  action.sa_handler = handle;
  sigaction(SIGALRM, &action, nullptr);
  set_timer(5000);
  work();
  set_timer(0);
}

class Handler : public Gc {
 protected:
  // The wait ends because of a handler, so that at least one has interrupted it.
  template <class Wait>
  void interrupt(Wait wait) {
    collect();
    const gc_id_t id = lose_with_finalizer();
    wipe_stack();
    disturb(wait);
    EXPECT_GT(handled, 0u);
    EXPECT_EQ(finalized_in_handler, 0u);
    EXPECT_EQ(finalized, 0u);
    EXPECT_TRUE(gc_object_exists(id));
    // The handler is over: collections are as anywhere.
    EXPECT_GE(collect(), 1u);
    EXPECT_EQ(finalized, 1u);
    EXPECT_FALSE(gc_object_exists(id));
  }
};

TEST_F(Handler, ThatInterruptsASleepRunsNoFinalizer) {
  interrupt([] {
    const timespec minute = {60, 0};
    EXPECT_EQ(nanosleep(&minute, nullptr), -1);
    EXPECT_EQ(errno, EINTR);
  });
}

TEST_F(Handler, ThatInterruptsAPollRunsNoFinalizer) {
  interrupt([] {
    EXPECT_EQ(poll(nullptr, 0, -1), -1);
    EXPECT_EQ(errno, EINTR);
  });
}

TEST_F(Handler, ThatInterruptsASemaphoreRunsNoFinalizer) {
  interrupt([] {
    sem_t never;
    sem_init(&never, 0, 0);
    EXPECT_EQ(sem_wait(&never), -1);
    EXPECT_EQ(errno, EINTR);
    sem_destroy(&never);
  });
}

TEST_F(Handler, ThatInterruptsCodeRunsNoFinalizer) {
  interrupt([] {
    while (handled == 0) {
    }
  });
}

// What the next allocation frees is nobody's yet.
TEST_F(Handler, ThatCollectsHasReclaimedNothing) {
  const gc_id_t id = lose_one();
  wipe_stack();
  signal(SIGUSR1, handle);
  raise(SIGUSR1);
  raise(SIGUSR1);
  EXPECT_EQ(handled, 2u);
  EXPECT_EQ(reported, 0u);
  EXPECT_FALSE(gc_object_exists(id));
  const size_t before = gc::get_stats().collected;
  collect();
  EXPECT_GE(gc::get_stats().collected, before + 1);
}

void finalize_long(void* block, void* arg) {
  finalize(block, arg);
  const size_t before = handled;
  while (handled == before) {
  }
}

STEP void lose_many() {
  for (int i = 0; i < 3; i++) {
    Node* volatile p = new Node;
    gc_set_finalizer(p, finalize_long, nullptr);
    p = nullptr;
  }
}

TEST_F(Handler, ThatInterruptsAFinalizerRunsNoOther) {
  lose_many();
  wipe_stack();
  disturb([] { collect(); });
  EXPECT_EQ(finalized, 3u);
  EXPECT_EQ(finalized_in_handler, 0u);
  EXPECT_GE(handled, 3u);
}

}  // namespace
