/* alloc_steps KIND N: N times the same step, for counting its instructions.
 *
 *   pair16 pair48 pair1000 pair16384  malloc and free
 *   calloc48                          calloc and free
 *   ring                              frees a block of up to 512 bytes, and allocates another one
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING 100

static void pairs(size_t size, long count) {
  for (long i = 0; i < count; i++) {
    void* volatile p = malloc(size);
    free(p);
  }
}

static void zeroed(long count) {
  for (long i = 0; i < count; i++) {
    void* volatile p = calloc(3, 16);
    free(p);
  }
}

static void ring(long count) {
  static void* volatile blocks[RING];
  for (long i = 0; i < count; i++) {
    free(blocks[i % RING]);
    blocks[i % RING] = malloc((size_t)(i * 40503 % 512));
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: alloc_steps KIND N\n");
    return 2;
  }
  const long count = atol(argv[2]);
  if (strncmp(argv[1], "pair", 4) == 0) {
    pairs((size_t)atol(argv[1] + 4), count);
  } else if (strcmp(argv[1], "calloc48") == 0) {
    zeroed(count);
  } else if (strcmp(argv[1], "ring") == 0) {
    ring(count);
  } else {
    return 2;
  }
  return 0;
}
