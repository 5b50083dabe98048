/* Snapshots are asked of a thread that may be anywhere in the allocator, while another one
 * collects: each is answered, if only by "busy". */
#include <pthread.h>

#include "commander.h"
#include "heaprake/gc.h"

enum { kMib = 1 << 20, kNodes = 200, kRequests = 60 };

static volatile int over;

static void* collect(void* unused) {
  while (!over) {
    for (int i = 0; i < 4; ++i) {
      char* volatile lost = malloc(32 * kMib);
      lost[0] = 1;
    }
    gc_collect();
  }
  return unused;
}

static void* ask(void* unused) {
  for (int i = 0; i < kRequests; ++i) {
    struct result result = ask_in_call(HEAPRAKE_REQUEST_SNAPSHOT, getpid());
    MUST(result.status == HEAPRAKE_OK || result.status == HEAPRAKE_BUSY);
    MUST((result.length != 0) == (result.status == HEAPRAKE_OK));
  }
  over = 1;
  return unused;
}

int main(void) {
  bound();
  start_commander();
  struct node* kept;
  put_list(&kept, kNodes);
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, collect, NULL);
  pthread_create(&threads[1], NULL, ask, NULL);
  char* block = malloc(64 * kMib);
  while (!over) {
    block = realloc(block, 36 * kMib);
    for (size_t i = 33 * kMib; i < 36 * kMib; i += 4096) block[i] = 1;
    block = realloc(block, 33 * kMib);
  }
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  check_list(&kept, kNodes);
  puts("all answered");
  return 0;
}
