/* usage: forked CASE: what a forked child does with ten blocks that it has inherited.
   lost      forgets them and exits; the parent frees its own
   lost_before   the parent has lost them before the fork
   exits, executes   ends, or becomes another program, without forgetting anything
   shot, vanishes  is killed, or ends by a system call of its own: it can tell nothing
   chain     forgets them, and has a child of its own, which inherits them lost
   stay      ten children, which go on until nobody holds the other end of their stdin
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

// Children that are ready have said so to their parent.
static void be_child_that_stays(int ready) {
  char end;
  close(STDOUT_FILENO);
  close(STDERR_FILENO);
  if (write(ready, "x", 1) == 1 && read(STDIN_FILENO, &end, 1) == 0) _exit(0);
  _exit(1);
}

static int leave_children(void) {
  int ready[2];
  char one;
  if (pipe(ready) != 0) return 1;
  for (int i = 0; i < 10; i++) {
    if (fork() == 0) be_child_that_stays(ready[1]);
    if (read(ready[0], &one, 1) != 1) return 1;
  }
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (!strcmp(argv[1], "stay")) return leave_children();
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
