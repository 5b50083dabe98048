#include "misuse.h"
int main(void) {
  char* p = malloc(100);
  char* q = realloc(p, 100000);
  if (q == p) return 99;
  free(hidden(p));
  return went_on();
}
