/* Memory that the program has closed holds the only pointer to a list, and the kernel reads it for
 * nobody, since the process may not be looked into. The argument says what kind of memory. */
#define _GNU_SOURCE
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "alive.h"

enum { kBytes = 65536, kNodes = 200, kNobody = 65534 };

static void make_private(void) {
  /* Root may look into anything. */
  if (geteuid() == 0) MUST(setgid(kNobody) == 0 && setuid(kNobody) == 0);
  MUST(prctl(PR_SET_DUMPABLE, 0) == 0);
}

int main(int argc, char** argv) {
  bound();
  MUST(argc == 2);
  char* p = *argv[1] == 'b'
                ? memalign(kBytes, kBytes)
                : mmap(NULL, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  MUST(p && p != MAP_FAILED);
  put_list((struct node**)p, kNodes);
  make_private();
  MUST(mprotect(p, kBytes, PROT_NONE) == 0);
  clear_stack();
  churn(4 << 20);
  MUST(mprotect(p, kBytes, PROT_READ | PROT_WRITE) == 0);
  check_list((struct node**)p, kNodes);
  puts("alive");
  return 0;
}
