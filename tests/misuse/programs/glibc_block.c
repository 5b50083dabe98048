/* No misuse: blocks that glibc's own malloc gave out find their way back to it. */
#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include "misuse.h"
void* __libc_malloc(size_t);

static int use(size_t size) {
  char* p = __libc_malloc(size);
  memset(p, 7, size);
  if (malloc_usable_size(hidden(p)) < size) return 1;
  p = realloc(hidden(p), size * 2);
  if (!p || p[0] != 7 || p[size - 1] != 7) return 2;
  free(hidden(p));
  return 0;
}

static void* in_thread(void* unused) {
  (void)unused;
  return use(1000) ? (void*)1 : NULL;
}

int main(void) {
  pthread_t thread;
  void* failed;
  pthread_create(&thread, NULL, in_thread, NULL);
  pthread_join(thread, &failed);
  if (failed || use(24) || use(5000) || use(1 << 20)) return 99;
  return 0;
}
