#include "misuse.h"
int main(void) {
  void* p = malloc(40 << 20);
  free(p);
  free(hidden(p));
  return went_on();
}
