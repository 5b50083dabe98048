/* Loses blocks at several lines of one function; with an argument, one more. */
#include <stdlib.h>
#include <string.h>

struct pair {
  void *first, *second;
};

__attribute__((noinline)) static struct pair* make(size_t bytes) {
  struct pair* pair = malloc(sizeof *pair);
  pair->first = malloc(bytes);
  pair->second = NULL;
  return pair;
}

__attribute__((noinline)) static void handle(int more) {
  void* volatile kept = strdup("user");
  kept = strdup("pass");
  kept = make(40);
  kept = make(41);
  if (more) kept = strdup("more");
  kept = NULL;
}

int main(int argc, char** argv) {
  (void)argv;
  handle(argc > 1);
  return 0;
}
