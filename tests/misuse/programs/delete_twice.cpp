#include "misuse.h"
int main() {
  long* p = new long[10];
  delete[] p;
  delete[] static_cast<long*>(hidden(p));
  return went_on();
}
