/* A coroutine whose stack is an array in a frame of its caller's: the frames between the array and
 * the caller are alive while the coroutine runs. */
#include <ucontext.h>

#include "alive.h"

enum { kStack = 256 << 10, kNodes = 200 };

static ucontext_t caller, coroutine;

static void body(void) {
  churn(4 << 20);
  swapcontext(&coroutine, &caller);
}

APART void below(char* stack) {
  struct node* volatile kept;
  put_list((struct node**)&kept, kNodes);
  clear_stack();
  getcontext(&coroutine);
  coroutine.uc_stack.ss_sp = stack;
  coroutine.uc_stack.ss_size = kStack;
  coroutine.uc_link = NULL;
  makecontext(&coroutine, body, 0);
  swapcontext(&caller, &coroutine);
  check_list((struct node**)&kept, kNodes);
}

int main(void) {
  bound();
  char stack[kStack];
  below(stack);
  puts("alive");
  return 0;
}
