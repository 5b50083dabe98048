/* Stands still, or keeps allocating, while requests come in. Ends when its standard input does. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void** kept;

__attribute__((noinline)) static void lose(int count) {
  for (int i = 0; i < count; ++i) memset(malloc(1000), 1, 1000);
}

static int input_ended(int wait_ms) {
  struct pollfd input = {0, POLLIN, 0};
  return poll(&input, 1, wait_ms) > 0;
}

int main(int argc, char** argv) {
  int busy = argc > 1 && !strcmp(argv[1], "busy");
  for (int i = 0; i < 100; ++i) {
    void** next = malloc(2000);
    next[0] = kept;
    kept = next;
  }
  lose(500);
  puts("ready");
  fflush(stdout);
  unsigned long rounds = 0;
  while (!input_ended(busy ? 0 : -1)) {
    for (int i = 0; i < 100; ++i, ++rounds) free(memset(malloc(16 + rounds % 900), 2, 16));
  }
  lose(1);
  int count = 0;
  for (void** p = kept; p; p = p[0]) ++count;
  printf("%d kept\n", count);
  return 0;
}
