/* Makes a guard page of the first page of a block, as makers of stacks do, and keeps the only
 * pointer to a list behind it. */
#include <sys/mman.h>

#include "alive.h"

enum { kPage = 4096, kBytes = 16 * kPage };

int main(void) {
  bound();
  static char* block;
  block = aligned_alloc(kPage, kBytes);
  memset(block, 1, kBytes);
  MUST(mprotect(block, kPage, PROT_NONE) == 0);
  struct node** list = (struct node**)(block + 2 * kPage);
  put_list(list, 50);
  clear_stack();
  for (int i = 0; i < 10; ++i) {
    churn(400 << 10);
    check_list(list, 50);
  }
  MUST(mprotect(block, kPage, PROT_READ | PROT_WRITE) == 0);
  MUST(block[5] == 1 && block[kPage - 1] == 1);
  free(block);
  puts("alive");
  return 0;
}
