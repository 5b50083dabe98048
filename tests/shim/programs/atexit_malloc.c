/* Uses the heap in exit handlers and in a destructor, the last moments of a process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char* kept;

static void use(const char* who) {
  for (int i = 0; i < 4000; ++i) memset(malloc(2000), i, 2000);
  char* p = malloc(32);
  strcpy(p, kept);
  printf("%s: %s\n", who, p);
  free(p);
}

static void handler(void) {
  use("atexit");
}
__attribute__((destructor)) static void destructor(void) {
  use("destructor");
}

int main(void) {
  kept = strdup("still here");
  atexit(handler);
  return 0;
}
