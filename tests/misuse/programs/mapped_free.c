#include <sys/mman.h>
#include "misuse.h"
int main(void) {
  char* p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  free(hidden(p + 16));
  return went_on();
}
