/* Threads that allocate and free in destructors of thread-specific data, after most of what a
 * thread owns is gone; and again in the next round of destructors. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 100 };
static pthread_key_t key;
static int destroyed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void destroy(void* value) {
  int rounds = *(int*)value;
  free(value);
  for (int i = 0; i < 50; ++i) memset(malloc(1000), i, 1000);
  if (rounds > 0) {
    int* again = malloc(sizeof *again);
    *again = rounds - 1;
    pthread_setspecific(key, again);
    return;
  }
  pthread_mutex_lock(&lock);
  ++destroyed;
  pthread_mutex_unlock(&lock);
}

static void* run(void* unused) {
  int* rounds = malloc(sizeof *rounds);
  *rounds = 2;
  pthread_setspecific(key, rounds);
  return unused;
}

int main(void) {
  pthread_key_create(&key, destroy);
  for (int i = 0; i < THREADS; i += 10) {
    pthread_t threads[10];
    for (int j = 0; j < 10; ++j) pthread_create(&threads[j], NULL, run, NULL);
    for (int j = 0; j < 10; ++j) pthread_join(threads[j], NULL);
  }
  printf("%d destroyed\n", destroyed);
  return 0;
}
