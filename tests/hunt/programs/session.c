/* Loses seven blocks, and then does what the word says while a test looks at it. Knows
 * LeakSanitizer's interface, and runs without it, too. */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WEAK __attribute__((weak))
WEAK void __lsan_disable(void);
WEAK void __lsan_enable(void);
WEAK void __lsan_ignore_object(const void*);
WEAK void __lsan_do_leak_check(void);
WEAK int __lsan_do_recoverable_leak_check(void);
WEAK void __lsan_register_root_region(const void*, size_t);
WEAK void __lsan_unregister_root_region(const void*, size_t);

#ifdef TURNED_OFF
int __lsan_is_turned_off(void) {
  return 1;
}
const char* __lsan_default_suppressions(void) {
  return "leak:known_loss\n";
}
#endif

static void* volatile last;

__attribute__((noinline)) static void lose(int count) {
  for (int i = 0; i < count; ++i) last = calloc(1, 1000);
  last = NULL;
}
__attribute__((noinline)) static void wipe_stack(void) {
  volatile char frame[16384];
  memset((char*)frame, 0, sizeof frame);
  __asm__ volatile("" : : "r"(frame) : "memory");
}

static void say(const char* text) {
  if (write(1, text, strlen(text)) < 0) _exit(3);
}
static void wait_for_end(void) {
  char byte;
  ssize_t got;
  say("ready\n");
  do got = read(0, &byte, 1);
  while (got > 0);
}

static void leave(int number) {
  (void)number;
  say("handled\n");
  exit(7);
}
static void note(int number) {
  (void)number;
  say("handled\n");
}

static int is_default(int number) {
  struct sigaction action;
  memset(&action, 1, sizeof action);
  return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_DFL &&
         action.sa_flags == 0 && !sigismember(&action.sa_mask, SIGINT);
}
static int run_dispositions(void) {
  struct sigaction mine = {.sa_handler = note}, before;
  if (!is_default(SIGTERM) || !is_default(SIGINT) || !is_default(SIGUSR1)) return 1;
  if (signal(SIGTERM, note) != SIG_DFL || signal(SIGTERM, SIG_DFL) != note) return 2;
  if (signal(SIGTERM, SIG_IGN) != SIG_DFL || signal(SIGTERM, SIG_DFL) != SIG_IGN) return 3;
  if (sigaction(SIGINT, &mine, &before) || before.sa_handler != SIG_DFL) return 4;
  if (sigaction(SIGINT, &before, &mine) || mine.sa_handler != note || !is_default(SIGINT)) return 5;
  /* What is executed finds the default as well. */
  return system(
      "trap 'exit 9' TERM; trap - TERM; case $(grep SigIgn /proc/self/status) in "
      "*0000000000000000|*1000) ;; *) exit 0 ;; esac");
}

static int run_ignored(void) {
  void** holder;
  __lsan_disable();
  __lsan_disable();
  last = holder = calloc(1, 64);
  __lsan_enable();
  lose(3);
  __lsan_enable();
  __lsan_enable(); /* once too often */
  holder[2] = calloc(1, 50);
  last = calloc(1, 40);
  __lsan_ignore_object((char*)last + 8);
  last = NULL;
  return 0;
}

static int run(const char* how) {
  if (!strcmp(how, "ignored")) {
    lose(2);
    return run_ignored();
  }
  if (!strcmp(how, "recoverable")) {
    int before = __lsan_do_recoverable_leak_check();
    int first, second;
    lose(7);
    wipe_stack();
    first = __lsan_do_recoverable_leak_check();
    second = __lsan_do_recoverable_leak_check();
    return printf("%d %d %d\n", before, first, second) < 0;
  }
  lose(7);
  wipe_stack();
  if (!strcmp(how, "wait")) return wait_for_end(), 0;
  if (!strcmp(how, "dispositions")) {
    int wrong = run_dispositions();
    return wrong ? printf("wrong: %d\n", wrong) < 0 : puts("as set") < 0;
  }
  if (!strcmp(how, "ignore")) {
    signal(SIGINT, SIG_IGN);
    wait_for_end();
    say("done\n");
    return 0;
  }
  if (!strcmp(how, "handler")) {
    signal(SIGTERM, leave);
    wait_for_end();
    return 0;
  }
  if (!strcmp(how, "usr2")) {
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigaction(SIGUSR2, &action, NULL);
    wait_for_end();
    return 0;
  }
  if (!strcmp(how, "final")) {
    __lsan_do_leak_check();
    lose(5);
    return 0;
  }
  return 2;
}

int main(int argc, char** argv) {
  return argc == 2 ? run(argv[1]) : 2;
}
