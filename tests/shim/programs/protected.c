/* Takes away and gives back permission for pages inside its blocks, one of which holds the only
 * pointer to another block. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { kPage = 4096, kPages = 16 };

static char* guarded;

static void churn(void) {
  for (int i = 0; i < 2000; ++i) memset(malloc(1000), 1, 1000);
}

int main(void) {
  guarded = aligned_alloc(kPage, kPages * kPage);
  memset(guarded, 1, kPages * kPage);
  char** inside = (char**)(guarded + 5 * kPage);
  *inside = strdup("intact");
  int protections[] = {PROT_NONE, PROT_READ};
  for (int i = 0; i < 2; ++i) {
    if (mprotect(inside, kPage, protections[i])) return 1;
    churn();
    if (mprotect(inside, kPage, PROT_READ | PROT_WRITE)) return 2;
    churn();
  }
  puts(*inside);
  return 0;
}
