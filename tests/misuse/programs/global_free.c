#include "misuse.h"
static long global[8];
int main(void) {
  free(hidden(global));
  return went_on();
}
