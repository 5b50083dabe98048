/* usage: forked CASE: what a forked child does with ten blocks that it has inherited.
   lost      forgets them and exits; the parent frees its own
   lost_before   the parent has lost them before the fork
   exits, executes   ends, or becomes another program, without forgetting anything */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kBlocks = 10 };
static void* volatile kept[kBlocks];

__attribute__((noinline)) static void wipe(void) {
  volatile char stack[8192];
  for (size_t i = 0; i < sizeof stack; i++) stack[i] = 0;
}
__attribute__((noinline)) static void fill(void) {
  for (int i = 0; i < kBlocks; i++) kept[i] = malloc(777);
}
__attribute__((noinline)) static void forget(void) {
  for (int i = 0; i < kBlocks; i++) kept[i] = NULL;
}

static void be_child(const char* what) {
  if (!strcmp(what, "executes")) {
    execl("/bin/true", "true", (char*)NULL);
    _exit(1);
  }
  if (!strcmp(what, "lost")) forget();
  wipe();
  exit(0);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  fill();
  if (!strcmp(argv[1], "lost_before")) forget();
  wipe();
  if (fork() == 0) be_child(argv[1]);
  wait(NULL);
  for (int i = 0; i < kBlocks; i++) free(kept[i]);
  return 0;
}
