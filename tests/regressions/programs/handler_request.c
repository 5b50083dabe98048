/* A request reaches a thread that waits in a call, in a handler of the program's, and that handler
 * may have interrupted the allocator: nothing may be freed there. */
#include <pthread.h>

#include "commander.h"

enum { kMib = 1 << 20, kNodes = 200, kRounds = 60 };

static volatile int handled, freed_at_once;
static volatile int allocating = 1, thread_made;
static pthread_t main_thread;

static void handler(int signal) {
  (void)signal;
  struct result result = ask_in_call(HEAPRAKE_REQUEST_COLLECT, getpid());
  if (result.status == HEAPRAKE_OK && !result.collected.pending) freed_at_once = 1;
  ++handled;
}

/* One signal after the other, each when the one before has been handled. While the process's first
 * thread is being made signal 33 has libc's handler: the command would then ask another thread, but
 * this commander knows of one only. */
static void* disturb(void* unused) {
  while (!thread_made) usleep(100);
  for (int round = 1; round <= kRounds; ++round) {
    int before = handled;
    pthread_kill(main_thread, SIGUSR1);
    while (handled == before) usleep(100);
  }
  allocating = 0;
  return unused;
}

int main(void) {
  bound();
  start_commander();
  struct node* kept;
  put_list(&kept, kNodes);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, NULL);
  churn(100000);
  clear_stack();
  raise(SIGUSR1);
  MUST(handled == 1 && !freed_at_once);

  main_thread = pthread_self();
  pthread_t thread;
  pthread_create(&thread, NULL, disturb, NULL);
  thread_made = 1;
  char* block = malloc(64 * kMib);
  char* volatile lost;
  while (allocating) {
    lost = malloc(20 * kMib);
    lost[0] = 1;
    block = realloc(block, 36 * kMib);
    for (size_t i = 33 * kMib; i < 36 * kMib; i += 4096) block[i] = 1;
    block = realloc(block, 33 * kMib);
  }
  pthread_join(thread, NULL);
  MUST(!freed_at_once);
  check_list(&kept, kNodes);
  puts("freed later");
  return 0;
}
