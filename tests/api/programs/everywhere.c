/* The whole API before main, in atexit handlers, in a signal handler that interrupts it, in several
 * threads at once, and in children forked meanwhile. Ends with 0, or a word says what went wrong.
 */
#include <errno.h>
#include <heaprake/gc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int finalized, calls, handled, stop;

static void fail(const char* what) {
  fprintf(stderr, "%s\n", what);
  _exit(1);
}

static void count_finalizer(void* block, void* arg) {
  (void)block;
  (void)arg;
  finalized++;
}
static void count_call(gc_phase phase, const gc_info* info, void* arg) {
  (void)phase;
  (void)info;
  (void)arg;
  calls++;
}

/* Everything once; leaves nothing. */
__attribute__((noinline)) static void use_all(int collecting) {
  char* volatile p = malloc(40);
  if (!p) fail("malloc");
  gc_weak* weak = gc_weak_new(p + 8);
  if (!weak || gc_weak_get(weak) != p + 8) fail("weak");
  if (!gc_set_finalizer(p, count_finalizer, NULL)) fail("set_finalizer");
  if (!gc_set_type(p, "thing") || strcmp(gc_type(p), "thing") != 0) fail("type");
  if (gc_is_finalized(p)) fail("is_finalized");
  if (!gc_add_callback(count_call, p)) fail("add_callback");
  gc_id_t id = gc_id(p);
  if (gc_address(id) != p || !gc_is_tracked(p)) fail("id");
  if (collecting) {
    gc_collect();
    gc_run_finalizers();
    gc_refcount(id);
    gc_freeze();
    gc_get_freeze_count();
    gc_unfreeze();
    gc_garbage(NULL, 0);
    gc_clear_garbage();
  }
  if (!gc_remove_callback(count_call, p)) fail("remove_callback");
  p = realloc(p, 5000);
  if (!p || gc_weak_get(weak) != p + 8) fail("weak after realloc");
  free(p);
  if (gc_weak_get(weak)) fail("weak after free");
  if (!gc_weak_free(weak)) fail("weak_free");
}

__attribute__((constructor)) static void before_main(void) {
  use_all(1);
}
static void at_exit(void) {
  use_all(1);
}

/* malloc is no function for handlers, but everything of gc.h is. */
static char* shared_block;
static gc_weak* shared_weak;
static void on_alarm(int signal) {
  (void)signal;
  const int kept = errno;
  gc_weak* weak = gc_weak_new(shared_block);
  if (!weak || gc_weak_get(weak) != shared_block || gc_weak_get(shared_weak) != shared_block)
    fail("weak in handler");
  gc_weak_free(weak);
  gc_set_type(shared_block, handled % 2 ? "odd" : "even");
  if (!gc_type(shared_block)) fail("type in handler");
  gc_set_finalizer(shared_block, handled % 2 ? count_finalizer : NULL, NULL);
  if (handled % 16 == 0) gc_collect();
  gc_run_finalizers();
  gc_get_freeze_count();
  handled++;
  errno = kept;
}

static void* work(void* arg) {
  (void)arg;
  while (!stop) use_all(0);
  return NULL;
}

static void fork_children(void) {
  for (int i = 0; i < 20; i++) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
      alarm(20);
      use_all(1);
      _exit(gc_weak_get(shared_weak) == shared_block ? 0 : 1);
    }
    int status;
    while (waitpid(child, &status, 0) < 0) {
      if (errno != EINTR) fail("waitpid");
    }
    if (status != 0) fail("a forked child failed or hung");
  }
}

int main(void) {
  atexit(at_exit);
  shared_block = malloc(100);
  shared_weak = gc_weak_new(shared_block);
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval often = {{0, 500}, {0, 500}};
  setitimer(ITIMER_REAL, &often, NULL);
  for (int i = 0; i < 300 || handled < 50; i++) use_all(i % 8 == 0);
  setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);

  pthread_t threads[3];
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, work, NULL);
  fork_children();
  for (int i = 0; i < 20; i++) use_all(1);
  stop = 1;
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  gc_stats stats;
  gc_get_stats(&stats);
  return calls > 0 || stats.collections == 0 ? 0 : 1;
}
