// Ends in a handler on an alternate stack of 8 KiB (SIGSTKSZ), after it has forked there.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kStack = 8192, kPage = 4096 };

static void handler(int signal) {
  (void)signal;
  const pid_t child = fork();
  if (child == 0) _exit(5);
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) _exit(9);
  _exit(WEXITSTATUS(status) + 2);
}

static void end_in_handler(void) {
  // Below it nothing may be touched.
  char* memory = mmap(NULL, kPage + kStack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory + kPage, kStack, PROT_READ | PROT_WRITE)) abort();
  const stack_t stack = {.ss_sp = memory + kPage, .ss_size = kStack};
  const struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  if (sigaltstack(&stack, NULL) || sigaction(SIGUSR1, &action, NULL) || raise(SIGUSR1)) abort();
}

int main(void) {
  const pid_t child = fork();
  if (child == 0) end_in_handler();
  int status = 0;
  if (waitpid(child, &status, 0) != child) return 1;
  if (WIFEXITED(status))
    printf("ended with %d\n", WEXITSTATUS(status));
  else
    printf("killed by signal %d\n", WTERMSIG(status));
  return 0;
}
