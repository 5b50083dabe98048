#include <malloc.h>
#include "misuse.h"
int main(void) {
  void* p = malloc(48);
  free(p);
  if (malloc_usable_size(hidden(p))) return 99;
  return went_on();
}
