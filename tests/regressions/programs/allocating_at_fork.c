/* A library whose constructor runs before heaprake's and whose fork handlers allocate. So its
 * prepare handler runs when heaprake's has already taken all locks, its other two run when
 * heaprake's have not yet given them back. The child's does it only if the program has the argument
 * "child". */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void allocate(void) {
  char* wide = malloc(32u << 20);
  wide[0] = 1;
  char* small = malloc(100);
  memset(small, 1, 100);
  wide = realloc(wide, 48u << 20);
  free(small);
  free(wide);
}

__attribute__((constructor)) static void install(int argc, char** argv) {
  pthread_atfork(allocate, allocate, argc > 1 && !strcmp(argv[1], "child") ? allocate : NULL);
}

int allocating_at_fork(void);
int allocating_at_fork(void) {
  return 1;
}
