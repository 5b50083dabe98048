/* Bound when it is loaded: see resolver.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char* kept_by_resolver;
int resolved(void);

int main(void) {
  for (int i = 0; i < 200000; ++i) memset(malloc(64), 1, 64);
  if (!resolved()) return 1;
  puts(kept_by_resolver);
  free(kept_by_resolver);
  return 0;
}
