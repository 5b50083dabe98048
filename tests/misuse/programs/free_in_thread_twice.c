#include <pthread.h>
#include "misuse.h"
static void* release(void* p) {
  free(p);
  return NULL;
}
int main(void) {
  void* p = malloc(48);
  pthread_t thread;
  pthread_create(&thread, NULL, release, p);
  pthread_join(thread, NULL);
  free(hidden(p));
  return went_on();
}
