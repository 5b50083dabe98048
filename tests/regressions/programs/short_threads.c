/* Threads that each lose a little and end: too little for one of them to notice, but all of it
 * counts. Fails when memory is not bounded. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { kThreads = 3000, kLost = 40 * 1024, kBlock = 1000, kMostKiB = 80 * 1024 };

static void* lose(void* unused) {
  for (size_t lost = 0; lost < kLost; lost += kBlock) {
    char* volatile block = malloc(kBlock);
    if (block) block[0] = 1;
  }
  return unused;
}

int main(void) {
  for (int i = 0; i < kThreads; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, lose, NULL) != 0) return 2;
    pthread_join(thread, NULL);
  }
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  /* 120 MB have been lost. */
  puts(usage.ru_maxrss < kMostKiB ? "bounded" : "unbounded");
  return usage.ru_maxrss < kMostKiB ? 0 : 1;
}
