/* A signal stack that is an array in a frame of main's: while a handler runs there the frames below
 * are alive, and another thread's allocations collect. */
#include <pthread.h>
#include <signal.h>

#include "alive.h"

enum { kStack = 256 << 10, kNodes = 200 };

static volatile int in_handler, done;

static void handler(int signal) {
  (void)signal;
  in_handler = 1;
  while (!done) __asm__ volatile("pause");
}

static void* allocate(void* unused) {
  while (!in_handler) usleep(100);
  churn(4 << 20);
  done = 1;
  return unused;
}

APART void below(void) {
  struct node* volatile kept;
  put_list((struct node**)&kept, kNodes);
  clear_stack();
  pthread_t thread;
  pthread_create(&thread, NULL, allocate, NULL);
  raise(SIGUSR1);
  pthread_join(thread, NULL);
  check_list((struct node**)&kept, kNodes);
}

int main(void) {
  bound();
  char stack[kStack];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternate, NULL);
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &action, NULL);
  below();
  puts("alive");
  return 0;
}
