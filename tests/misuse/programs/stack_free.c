#include "misuse.h"
int main(void) {
  long local[8] = {0};
  free(hidden(local));
  return went_on();
}
