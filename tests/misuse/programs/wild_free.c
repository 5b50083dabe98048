#include "misuse.h"
int main(void) {
  free(hidden((void*)0x123450));
  return went_on();
}
