/* Allocates in a constructor of the first priority, and keeps what it got until main. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char* kept;

__attribute__((constructor(101))) static void first(void) {
  kept = calloc(1, 64);
  strcpy(kept, "kept since the constructor");
  free(malloc(1 << 20));
}

int main(void) {
  for (int i = 0; i < 10000; ++i) {
    if (!memset(malloc(4000), 1, 4000)) return 1;
  }
  puts(kept);
  free(kept);
  return 0;
}
