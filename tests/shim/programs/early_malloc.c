/* A library whose constructor allocates before ours has run, as tools that are preloaded do. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char* kept_since_start;

/* The API may be used before the library's own constructor has run. */
size_t heaprake_collect(void) __attribute__((weak));
bool heaprake_pin(const void*) __attribute__((weak));

__attribute__((constructor(101))) static void start(void) {
  kept_since_start = malloc(100);
  strcpy(kept_since_start, "allocated early");
  for (int i = 1; i < 1000; ++i) {
    char* p = malloc((size_t)i * 17);
    memset(p, i, (size_t)i * 17);
    p = realloc(p, (size_t)i * 23);
    if (p[i * 17 - 1] != (char)i) abort();
    free(p);
  }
  if (heaprake_collect) heaprake_collect();
  if (heaprake_pin && !heaprake_pin(kept_since_start)) abort();
}

__attribute__((destructor)) static void stop(void) {
  puts(kept_since_start);
  free(kept_since_start);
}
