/* Signals that are sent to the process while threads collect: whatever thread gets them, none is
 * lost. (That main gets them: main_stopped.c.) The ways:
 *   plain   a handler in main, which computes, allocates and waits by turns
 *   stack   the same on an alternate stack, from main's own
 *   within  the same within a handler on that stack
 *   once    the same with a handler that serves once (SA_RESETHAND) and installs itself again
 *   nest    bursts for a handler that may interrupt itself (SA_NODEFER)
 *   queue   of queued values none is lost, none comes twice, and main gets its own in order
 *   jump    a timer's handler in main leaves by siglongjmp */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "alive.h"

enum { kSignals = 800, kQueued = 4000, kLimits = 200, kKept = 20000 };

static volatile int over;
static int* handled; /* shared with the sender */

static void count(void) {
  __atomic_fetch_add(handled, 1, __ATOMIC_RELEASE);
}

/* Without the library's statistics, which the test would take for the program's. */
static void leave(void) {
  syscall(SYS_exit_group, 0);
}

/* Threads that wait in libc, where they block nothing. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void* wait_for_lock(void* unused) {
  pthread_mutex_lock(&lock);
  pthread_mutex_unlock(&lock);
  return unused;
}
static void* wait_in_poll(void* unused) {
  while (!over) poll(NULL, 0, 1000);
  return unused;
}
static void* lose(void* unused) {
  while (!over) {
    churn(96 << 10);
    poll(NULL, 0, 1);
  }
  return unused;
}

static void start_threads(void) {
  pthread_t thread;
  MUST(pthread_mutex_lock(&lock) == 0);
  MUST(pthread_create(&thread, NULL, wait_for_lock, NULL) == 0);
  MUST(pthread_create(&thread, NULL, wait_in_poll, NULL) == 0);
  MUST(pthread_create(&thread, NULL, lose, NULL) == 0);
}

static void sleep_us(long us) {
  const struct timespec time = {0, us * 1000};
  nanosleep(&time, NULL);
}

static void work_until_end_of(pid_t child) {
  struct node* volatile kept;
  put_list((struct node**)&kept, kKept);
  int status, got;
  for (unsigned turn = 0; (got = waitpid(child, &status, WNOHANG)) <= 0; ++turn) {
    MUST(got == 0);
    for (volatile int i = 0; i < 100000; ++i) continue;
    churn(32 << 10);
    if (turn % 4 == 0) poll(NULL, 0, 1);
  }
  MUST(status == 0);
  check_list((struct node**)&kept, kKept);
}

static char stack[256 << 10];
static int flags;

static void take(int signal);
static void install(int signal, int with) {
  const struct sigaction action = {.sa_handler = take, .sa_flags = with};
  sigaction(signal, &action, NULL);
}

static void take(int signal) {
  const char here = 0;
  if ((flags & SA_ONSTACK) && syscall(SYS_gettid) == getpid())
    MUST((uintptr_t)&here - (uintptr_t)stack < sizeof stack);
  if (flags & (int)SA_RESETHAND) install(signal, flags);
  count();
}

static void send_one_by_one(int signal) {
  (void)signal;
  install(SIGUSR1, flags);
  start_threads();
  const pid_t parent = getpid(), sender = fork();
  if (sender == 0) {
    for (int sent = 0; sent < kSignals; ++sent) {
      const int before = __atomic_load_n(handled, __ATOMIC_ACQUIRE);
      kill(parent, SIGUSR1);
      sleep_us(1000);
      while (__atomic_load_n(handled, __ATOMIC_ACQUIRE) == before) sleep_us(1000);
    }
    leave();
  }
  work_until_end_of(sender);
}

static void send_within(void) {
  struct sigaction action = {.sa_handler = send_one_by_one, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR2, &action, NULL);
  raise(SIGUSR2);
}

static unsigned char times[kQueued];
static int in_order, last = -1;

static void take_value(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)context;
  const int value = info->si_value.sival_int;
  MUST(info->si_code == SI_QUEUE && value >= 0 && value < kQueued);
  __atomic_fetch_add(&times[value], 1, __ATOMIC_RELAXED);
  if (in_order && syscall(SYS_gettid) == getpid()) {
    MUST(value > last);
    last = value;
  }
  count();
}

static void send_values(int with, int burst, long pause_us) {
  struct sigaction action = {.sa_sigaction = take_value, .sa_flags = SA_SIGINFO | with};
  sigaction(SIGRTMIN + 1, &action, NULL);
  start_threads();
  const pid_t parent = getpid(), sender = fork();
  if (sender == 0) {
    for (int i = 0; i < kQueued; ++i) {
      while (sigqueue(parent, SIGRTMIN + 1, (union sigval){.sival_int = i}) != 0) sleep_us(1000);
      if (i % burst == 0) sleep_us(pause_us);
    }
    while (__atomic_load_n(handled, __ATOMIC_ACQUIRE) < kQueued) sleep_us(1000);
    leave();
  }
  work_until_end_of(sender);
  for (int i = 0; i < kQueued; ++i) MUST(times[i] == 1);
}

static sigjmp_buf limit;
static volatile int armed;

static void end_limit(int signal) {
  (void)signal;
  count();
  if (armed && syscall(SYS_gettid) == getpid()) {
    armed = 0;
    siglongjmp(limit, 1);
  }
}

static void jump(void) {
  struct node* volatile kept;
  put_list((struct node**)&kept, kKept);
  struct sigaction action = {.sa_handler = end_limit};
  sigaction(SIGALRM, &action, NULL);
  start_threads();
  const struct itimerval often = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
  MUST(setitimer(ITIMER_REAL, &often, NULL) == 0);
  for (volatile int limits = 0; limits < kLimits; ++limits) {
    if (sigsetjmp(limit, 1) != 0) continue;
    armed = 1;
    for (volatile unsigned long work = 0;; ++work) continue;
  }
  setitimer(ITIMER_REAL, &never, NULL);
  check_list((struct node**)&kept, kKept);
}

int main(int count, char** words) {
  bound();
  MUST(count == 2);
  handled = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  MUST(handled != MAP_FAILED);
  const char* way = words[1];
  if (!strcmp(way, "stack") || !strcmp(way, "within")) {
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternate, NULL);
    flags = SA_ONSTACK;
  }
  if (!strcmp(way, "once")) flags = SA_RESETHAND | SA_NODEFER;
  if (!strcmp(way, "queue")) {
    in_order = 1;
    send_values(SA_RESTART, 8, 200);
  } else if (!strcmp(way, "nest")) {
    send_values(SA_RESTART | SA_NODEFER, 200, 20000);
  } else if (!strcmp(way, "jump")) {
    jump();
  } else if (!strcmp(way, "within")) {
    send_within();
  } else {
    send_one_by_one(0);
  }
  puts("handled");
  fflush(stdout);
  over = 1;
  _exit(0);
}
