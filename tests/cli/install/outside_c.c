#include <heaprake/gc.h>
#include <stdio.h>
#include <stdlib.h>

static void* kept;

int main(void) {
  gc_stats stats;
  kept = malloc(64);
  gc_collect();
  gc_get_stats(&stats);
  printf("%d %d\n", gc_object_exists(gc_id(kept)), (int)stats.collections);
  return 0;
}
