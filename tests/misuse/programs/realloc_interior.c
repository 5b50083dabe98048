#include "misuse.h"
int main(void) {
  char* p = malloc(480);
  if (realloc(hidden(p + 16), 100)) return 99;
  return went_on();
}
