/* calloc clears all of a block that malloc_usable_size offers, whatever was there before. */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kBlocks = 300, kMost = 1500 };

static void soil(size_t size) {
  static void* blocks[kBlocks];
  for (int i = 0; i < kBlocks; i++) {
    blocks[i] = malloc(size);
    if (blocks[i]) memset(blocks[i], 0xa5, malloc_usable_size(blocks[i]));
  }
  for (int i = 0; i < kBlocks; i++) free(blocks[i]);
}

static int is_clear(const unsigned char* block, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (block[i]) return 0;
  }
  return 1;
}

int main(void) {
  static unsigned char* blocks[kBlocks];
  for (size_t size = 1; size <= kMost; size++) {
    soil(size);
    for (int i = 0; i < kBlocks; i++) {
      blocks[i] = calloc(1, size);
      if (!blocks[i] || !is_clear(blocks[i], malloc_usable_size(blocks[i]))) {
        printf("calloc(1, %zu) is not clear\n", size);
        return 1;
      }
    }
    for (int i = 0; i < kBlocks; i++) free(blocks[i]);
  }
  puts("clear");
  return 0;
}
