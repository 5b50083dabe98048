/* Threads that end leave addresses of dropped blocks on their stacks; one has not been joined and
 * returned a block that nobody else knows. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kThreads = 4 };

__attribute__((noinline)) static void drop(int depth) {
  void* volatile dropped[64];
  for (int i = 0; i < 64; ++i) dropped[i] = memset(malloc(1000), 1, 1000);
  if (depth > 0) drop(depth - 1);
  __asm__ volatile("" : : "r"(dropped) : "memory");
}

static void* work(void* unused) {
  drop(10);
  return strdup("returned");
}

/* Until the kernel, too, has forgotten it: its directory is gone when its stack is dead. */
static void await_end_of_all(void) {
  struct stat tasks;
  while (stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3) usleep(1000);
}

int main(void) {
  pthread_t threads[kThreads];
  for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, work, NULL);
  await_end_of_all();
  for (int i = 0; i < 300; ++i) memset(malloc(1000), 1, 1000);
  for (int i = 0; i < kThreads; ++i) {
    void* text;
    pthread_join(threads[i], &text);
    puts(text);
  }
  return 0;
}
