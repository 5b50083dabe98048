/* A thread of the program's own making whose %fs leads to memory that libc knows nothing of. It
 * takes a signal, and stands in the way of collections. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "alive.h"

enum { kStack = 64 << 10, kPage = 4096 };

static volatile int up, handled, over;
static volatile pid_t alive_tid = 1;

static void handler(int signal) {
  (void)signal;
  handled = 1;
}

static void exit_thread(void) {
  __asm__ volatile("syscall" : : "a"((long)SYS_exit), "D"(0L) : "rcx", "r11", "memory");
}

static int body(void* unused) {
  (void)unused;
  up = 1;
  while (!over) __asm__ volatile("pause");
  exit_thread();
  return 0;
}

int main(void) {
  bound();
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  /* Nothing but the one page may be touched. */
  char* around = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* tls = around + (512 << 10);
  MUST(around != MAP_FAILED && mprotect(tls, kPage, PROT_READ | PROT_WRITE) == 0);
  char* stack =
      mmap(NULL, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  MUST(stack != MAP_FAILED);
  int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
              CLONE_SETTLS | CLONE_CHILD_CLEARTID;
  int tid = clone(body, stack + kStack, flags, NULL, NULL, tls, &alive_tid);
  MUST(tid > 0);
  while (!up) sched_yield();
  MUST(syscall(SYS_tgkill, getpid(), tid, SIGUSR1) == 0);
  while (!handled) sched_yield();
  struct node* kept;
  put_list(&kept, 100);
  churn(4 << 20);
  over = 1;
  while (alive_tid) sched_yield();
  check_list(&kept, 100);
  puts("handled");
  return 0;
}
