/* A PID namespace that has no /proc of its own. */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/wait.h>

#include "alive.h"

enum { kNodes = 200 };

static struct node* list;

int main(void) {
  bound();
  if (unshare(CLONE_NEWPID) != 0) {
    puts("skipped: no right to make namespaces");
    return 77;
  }
  if (fork() != 0) {
    int status = -1;
    MUST(wait(&status) > 0);
    return status != 0;
  }
  put_list(&list, kNodes);
  clear_stack();
  churn(4 << 20);
  check_list(&list, kNodes);
  puts("alive");
  fflush(stdout);
  _exit(0);
}
