/* A library whose constructor runs before heaprake's and whose fork handlers allocate. So its
 * prepare handler runs when heaprake's has already taken all locks, its other two run when
 * heaprake's have not yet given them back. The child's does it only if the program has the argument
 * "child". With the argument "fork" the first one forks as well, with "signal" a signal's handler
 * that comes meanwhile. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void allocate(void) {
  char* wide = malloc(32u << 20);
  wide[0] = 1;
  char* small = malloc(100);
  memset(small, 1, 100);
  wide = realloc(wide, 48u << 20);
  free(small);
  free(wide);
}

static int forks;

static void fork_within(void) {
  if (forks) return;
  forks = 1;
  pid_t child = fork();
  allocate();
  if (child == 0) _exit(5);
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 5)
    abort();
  forks = 0;
}

static void handle(int number) {
  (void)number;
  fork_within();
}

static void interrupt(void) {
  if (!forks) raise(SIGUSR1);
}

__attribute__((constructor)) static void install(int argc, char** argv) {
  const char* way = argc > 1 ? argv[1] : "";
  signal(SIGUSR1, handle);
  pthread_atfork(!strcmp(way, "fork")     ? fork_within
                 : !strcmp(way, "signal") ? interrupt
                                          : allocate,
                 allocate, !strcmp(way, "child") ? allocate : NULL);
}

int allocating_at_fork(void);
int allocating_at_fork(void) {
  return 1;
}
