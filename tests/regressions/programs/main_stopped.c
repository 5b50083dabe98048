/* A signal that is sent to the process while its main thread, which computes, verifiably stands
 * still: it is main's, although others wait in libc and block nothing. The sender, a child, holds
 * the thread that collects by ptrace, and looks whether main sleeps then, which it never does by
 * itself. Natively main does not stand still, and gets all signals. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "alive.h"

enum { kSignals = 20, kKept = 100000, kSkipped = 77 };

struct shared {
  int handled, elsewhere, collector;
};
static struct shared* shared;
static size_t (*collect)(void);

static void take(int signal) {
  (void)signal;
  if (syscall(SYS_gettid) != getpid()) __atomic_fetch_add(&shared->elsewhere, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&shared->handled, 1, __ATOMIC_RELEASE);
}

static volatile int over;
static void* lose_and_collect(void* unused) {
  __atomic_store_n(&shared->collector, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
  while (!over) {
    churn(16 << 10);
    if (collect) collect();
  }
  return unused;
}
static void* wait_in_poll(void* unused) {
  while (!over) poll(NULL, 0, 1000);
  return unused;
}

/* The sender's part. */

static void sleep_us(long us) {
  const struct timespec time = {0, us * 1000};
  nanosleep(&time, NULL);
}

/* What follows the key in the parent's status, as the kernel shows it. */
static const char* status_of_parent(const char* key) {
  static char text[8192];
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/status", getppid());
  FILE* file = fopen(path, "r");
  MUST(file != NULL);
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  const char* at = strstr(text, key);
  MUST(at != NULL);
  return at + strlen(key);
}
static int main_sleeps(void) {
  return *status_of_parent("\nState:\t") == 'S';
}
static int is_in(const char* key, int signal) {
  return strtoull(status_of_parent(key), NULL, 16) >> (signal - 1) & 1;
}
static int is_pending(int signal) {
  return is_in("\nShdPnd:\t", signal);
}
/* In the handler of the signal before, which blocks it, another thread is to get it. */
static int main_blocks(int signal) {
  return is_in("\nSigBlk:\t", signal);
}

static void hold(int thread) {
  int status;
  MUST(ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) == 0);
  MUST(waitpid(thread, &status, __WALL) == thread && WIFSTOPPED(status));
}
static void let_go(int thread) {
  MUST(ptrace(PTRACE_CONT, thread, NULL, NULL) == 0);
}

static void send_while_main_stands(int thread) {
  for (hold(thread); !main_sleeps() || main_blocks(SIGUSR1); hold(thread)) {
    let_go(thread);
    sleep_us(300);
  }
  kill(getppid(), SIGUSR1);
  while (is_pending(SIGUSR1)) sleep_us(100);
  let_go(thread);
}

static void send_all(void) {
  int collector;
  while ((collector = __atomic_load_n(&shared->collector, __ATOMIC_ACQUIRE)) == 0) sleep_us(100);
  if (collect && ptrace(PTRACE_SEIZE, collector, NULL, NULL) != 0) _exit(kSkipped);
  for (int sent = 0; sent < kSignals; ++sent) {
    if (collect) {
      send_while_main_stands(collector);
    } else {
      kill(getppid(), SIGUSR1);
    }
    while (__atomic_load_n(&shared->handled, __ATOMIC_ACQUIRE) == sent) sleep_us(100);
  }
  _exit(0);
}

int main(void) {
  bound();
  shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  MUST(shared != MAP_FAILED);
  collect = (size_t(*)(void))dlsym(RTLD_DEFAULT, "heaprake_collect");
  struct node* volatile kept;
  put_list((struct node**)&kept, kKept);
  const struct sigaction action = {.sa_handler = take, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  pthread_t thread;
  for (int i = 0; i < 3; ++i) MUST(pthread_create(&thread, NULL, wait_in_poll, NULL) == 0);
  MUST(pthread_create(&thread, NULL, lose_and_collect, NULL) == 0);

  int may_begin[2], status = 0;
  char byte = 0;
  MUST(pipe(may_begin) == 0);
  const pid_t sender = fork();
  if (sender == 0) {
    MUST(read(may_begin[0], &byte, 1) == 1);
    send_all();
  }
  prctl(PR_SET_PTRACER, sender, 0, 0, 0);
  MUST(write(may_begin[1], &byte, 1) == 1);
  /* The child's end is a signal that is ignored: main does nothing but compute. */
  siginfo_t end = {.si_pid = 0};
  while (end.si_pid == 0) {
    for (volatile int i = 0; i < 1000000; ++i) continue;
    MUST(waitid(P_PID, (id_t)sender, &end, WEXITED | WNOHANG) == 0);
  }
  status = end.si_status;
  if (end.si_code == CLD_EXITED && status == kSkipped) {
    puts("a thread may not be traced here");
    fflush(stdout);
    _exit(kSkipped);
  }
  MUST(end.si_code == CLD_EXITED && status == 0);
  check_list((struct node**)&kept, kKept);
  MUST(shared->elsewhere == 0);
  puts("handled");
  fflush(stdout);
  over = 1;
  _exit(0);
}
