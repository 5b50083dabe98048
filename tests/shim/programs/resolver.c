/* A library with a function that a resolver chooses (IFUNC). A program that is bound when it is
 * loaded has the resolver called before any thread-local variable has its first value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kBlocks = 100, kBytes = 700 };

char* kept_by_resolver;
static char* blocks[kBlocks];

static int check(void) {
  for (int i = 0; i < kBlocks; ++i) {
    blocks[i] = realloc(blocks[i], 2 * kBytes);
    for (int at = 0; at < kBytes; ++at)
      if (blocks[i][at] != (char)i) return 0;
    free(blocks[i]);
  }
  return 1;
}

__attribute__((used)) static int (*choose(void))(void) {
  kept_by_resolver = calloc(1, 100);
  strcpy(kept_by_resolver, "allocated by the resolver");
  for (int i = 0; i < kBlocks; ++i) {
    blocks[i] = realloc(malloc((size_t)i), kBytes);
    memset(blocks[i], i, kBytes);
    free(aligned_alloc(64, 640));
  }
  FILE* file = fopen("/proc/self/status", "r"); /* what the processor can, say */
  char line[100];
  if (!file || !fgets(line, sizeof line, file) || fclose(file) != 0) abort();
  return check;
}

int resolved(void) __attribute__((ifunc("choose")));
