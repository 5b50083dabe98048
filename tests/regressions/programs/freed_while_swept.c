// Threads whose only pointers to blocks are XORed, and that free them, change their length or ask
// for it at any moment of the oracle's sweeps.
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { kThreads = 3, kBlocks = 1000, kRounds = 150 };
static const uintptr_t kKey = 0xaaaaaaaaaaaaaaaa;

static uintptr_t hide(void* p) {
  return (uintptr_t)p ^ kKey;
}
static void* show(uintptr_t hidden) {
  return (void*)(hidden ^ kKey);
}

static void* work(void* arg) {
  const size_t size = 16 + (size_t)(uintptr_t)arg * 2500;  // the last ones are large blocks
  static _Thread_local uintptr_t hidden[kBlocks];
  for (int round = 0; round < kRounds; round++) {
    for (int i = 0; i < kBlocks; i++) hidden[i] = hide(malloc(size));
    for (int i = 0; i < kBlocks; i++)
      if (malloc_usable_size(show(hidden[i])) < size) abort();
    for (int i = 0; i < kBlocks; i++) {
      void* p = realloc(show(hidden[i]), size + 40);
      if (!p) abort();
      hidden[i] = hide(p);
    }
    for (int i = 0; i < kBlocks; i++) free(show(hidden[i]));
  }
  return NULL;
}

int main(void) {
  pthread_t threads[kThreads];
  for (uintptr_t i = 0; i < kThreads; i++)
    if (pthread_create(&threads[i], NULL, work, (void*)i) != 0) return 1;
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);
  puts("survived");
  return 0;
}
