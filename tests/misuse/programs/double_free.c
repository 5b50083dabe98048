#include "misuse.h"
int main(void) {
  void* p = malloc(48);
  free(p);
  free(hidden(p));
  return went_on();
}
