/* Forks, with a library whose fork handlers allocate (allocating_at_fork.c). */
#include <sys/wait.h>

#include "alive.h"

int allocating_at_fork(void);

int main(void) {
  bound();
  struct node* kept;
  put_list(&kept, 100);
  for (int i = 0; i < 5; ++i) {
    churn(1 << 20);
    pid_t child = allocating_at_fork() ? fork() : -1;
    if (child == 0) {
      churn(1 << 20);
      check_list(&kept, 100);
      _exit(7);
    }
    int status = 0;
    MUST(child > 0 && waitpid(child, &status, 0) == child);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  }
  check_list(&kept, 100);
  puts("5 children well");
  return 0;
}
