/* Drops 10,000 blocks and ends in the way that its argument names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) static void drop(void) {
  for (int i = 0; i < 10000; ++i) memset(malloc(1000), 1, 1000);
}

int main(int argc, char** argv) {
  const char* how = argc > 1 ? argv[1] : "return";
  drop();
  puts("done");
  fflush(stdout);
  if (!strcmp(how, "exit")) exit(3);
  if (!strcmp(how, "_exit")) _exit(4);
  if (!strcmp(how, "_Exit")) _Exit(5);
  if (!strcmp(how, "quick_exit")) quick_exit(6);
  if (!strcmp(how, "abort")) abort();
  if (!strcmp(how, "vfork")) {
    if (vfork() == 0) _exit(0);
    wait(NULL);
  }
  if (!strcmp(how, "fork")) {
    if (fork() == 0) _exit(0);
    wait(NULL);
  }
  return 0;
}
