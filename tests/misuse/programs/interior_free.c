#include "misuse.h"
int main(void) {
  char* p = malloc(100);
  free(hidden(p + 32));
  return went_on();
}
