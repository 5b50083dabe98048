/* Loses blocks whose pages it has protected: they may not be handed out again as they are. */
#include <sys/mman.h>

#include "alive.h"

enum { kPage = 4096, kBytes = 2 * kPage };

APART void lose(int protection) {
  for (int i = 0; i < 20; ++i) {
    char* p = aligned_alloc(kPage, kBytes);
    memset(p, 1, kBytes);
    MUST(mprotect(p, kBytes, protection) == 0);
  }
}

int main(int argc, char** argv) {
  bound();
  MUST(argc == 2);
  struct node* kept;
  put_list(&kept, 100);
  lose(*argv[1] == 'r' ? PROT_READ : PROT_NONE);
  clear_stack();
  for (int i = 0; i < 20; ++i) churn(200 << 10);
  static char* blocks[200];
  for (int i = 0; i < 200; ++i) memset(blocks[i] = aligned_alloc(kPage, kBytes), i, kBytes);
  for (int i = 0; i < 200; ++i) MUST(blocks[i][0] == (char)i && blocks[i][kBytes - 1] == (char)i);
  check_list(&kept, 100);
  puts("usable");
  return 0;
}
