// How much address space the process has: "little" up to 64 GiB.
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  void* volatile block = malloc(100);
  unsigned long pages = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (!block || !file || fscanf(file, "%lu", &pages) != 1) return 1;
  fclose(file);
  free(block);
  puts(pages <= (64ul << 30) / 4096 ? "little" : "much");
  return 0;
}
