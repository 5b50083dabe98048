#include "misuse.h"
int main(void) {
  void* p = malloc(48);
  free(p);
  if (realloc(hidden(p), 100)) return 99;
  return went_on();
}
