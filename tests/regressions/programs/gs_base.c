/* A thread's GS base is the only pointer to a list, as emulators of other systems keep their thread
 * block. The argument says which thread, and what it does meanwhile. */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "alive.h"

enum { kNodes = 200 };

static volatile int ready, go_on;
static int ends[2];

APART void hold(void) {
  struct node* list;
  put_list(&list, kNodes);
  MUST(syscall(SYS_arch_prctl, ARCH_SET_GS, list) == 0);
}

APART void check(void) {
  struct node* list;
  MUST(syscall(SYS_arch_prctl, ARCH_GET_GS, &list) == 0);
  check_list(&list, kNodes);
}

APART void collect_often(void) {
  clear_stack();
  churn(4 << 20);
}

static void* run(void* running) {
  char byte;
  /* Known to the library before the base is set. */
  MUST(read(ends[0], &byte, 1) == 1);
  hold();
  clear_stack();
  ready = 1;
  while (running && !go_on) continue;
  MUST(read(ends[0], &byte, 1) == 1);
  check();
  return NULL;
}

static void in_thread(int running) {
  pthread_t thread;
  MUST(pipe(ends) == 0);
  MUST(pthread_create(&thread, NULL, run, running ? ends : NULL) == 0);
  MUST(write(ends[1], "x", 1) == 1);
  while (!ready) usleep(100);
  collect_often();
  go_on = 1;
  MUST(write(ends[1], "x", 1) == 1);
  MUST(pthread_join(thread, NULL) == 0);
}

static void in_child(void) {
  int status = -1;
  hold();
  if (fork() == 0) {
    collect_often();
    check();
    _exit(0);
  }
  MUST(wait(&status) > 0 && status == 0);
  collect_often();
  check();
}

int main(int argc, char** argv) {
  bound();
  MUST(argc == 2);
  if (!strcmp(argv[1], "own")) {
    hold();
    collect_often();
    check();
  } else if (!strcmp(argv[1], "forked")) {
    in_child();
  } else {
    in_thread(!strcmp(argv[1], "running"));
  }
  puts("alive");
  return 0;
}
