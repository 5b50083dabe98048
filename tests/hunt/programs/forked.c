/* usage: forked CASE: what a forked child does with ten blocks that it has inherited.
   lost      forgets them and exits; the parent frees its own
   lost_before   the parent has lost them before the fork
   exits, executes   ends, or becomes another program, without forgetting anything
   shot, vanishes  is killed, or ends by a system call of its own: it can tell nothing
   chain     forgets them, and has a child of its own, which inherits them lost
   killed    the parent has lost them before two forks, and is killed: it tells nothing */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
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
  if (!strcmp(what, "shot")) raise(SIGKILL);
  if (!strcmp(what, "vanishes")) syscall(SYS_exit_group, 0);
  if (!strcmp(what, "lost") || !strcmp(what, "chain")) forget();
  wipe();
  if (!strcmp(what, "chain")) {
    fork();
    wait(NULL);
  }
  exit(0);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  fill();
  const int killed = !strcmp(argv[1], "killed");
  if (killed || !strcmp(argv[1], "lost_before")) forget();
  wipe();
  for (int children = killed ? 2 : 1; children > 0; children--) {
    if (fork() == 0) be_child(argv[1]);
    wait(NULL);
  }
  if (killed) raise(SIGKILL);
  for (int i = 0; i < kBlocks; i++) free(kept[i]);
  return 0;
}
