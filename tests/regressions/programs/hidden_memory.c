/* Memory that the program cannot write, or not even read, while the collector runs holds the only
 * pointer to a list. The argument says how. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>

#include "alive.h"

enum { kPage = 4096, kNodes = 200 };

static char* map(int flags, int file) {
  char* p = mmap(NULL, kPage, PROT_READ | PROT_WRITE, flags, file, 0);
  MUST(p != MAP_FAILED);
  return p;
}

/* A private mapping that nobody may read until it is opened again. */
static char* closed(void) {
  char* p = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  put_list((struct node**)p, kNodes);
  MUST(mprotect(p, kPage, PROT_NONE) == 0);
  return p;
}

/* A shared mapping sealed after it was written. */
static char* sealed(void) {
  char* p = map(MAP_SHARED | MAP_ANONYMOUS, -1);
  put_list((struct node**)p, kNodes);
  MUST(mprotect(p, kPage, PROT_READ) == 0);
  return p;
}

/* Of two mappings of the same memory the one that could be written is gone. */
static char* alias(void) {
  int file = memfd_create("alias", 0);
  MUST(file >= 0 && ftruncate(file, kPage) == 0);
  char* writable = map(MAP_SHARED, file);
  put_list((struct node**)writable, kNodes);
  char* p = mmap(NULL, kPage, PROT_READ, MAP_SHARED, file, 0);
  MUST(p != MAP_FAILED && munmap(writable, kPage) == 0 && close(file) == 0);
  return p;
}

/* Memory that the kernel reads for nobody, with less behind it than is mapped. */
static char* secret(void) {
  enum { kMemfdSecret = 447, kSkipped = 77 };
  int file = (int)syscall(kMemfdSecret, 0);
  if (file < 0) exit(kSkipped);
  MUST(ftruncate(file, kPage) == 0);
  char* p = mmap(NULL, 8 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  MUST(p != MAP_FAILED);
  put_list((struct node**)p, kNodes);
  return p;
}

static char* map_as_told(const char* how) {
  if (!strcmp(how, "closed")) return closed();
  if (!strcmp(how, "sealed")) return sealed();
  return !strcmp(how, "secret") ? secret() : alias();
}

int main(int argc, char** argv) {
  bound();
  MUST(argc == 2);
  char* p = map_as_told(argv[1]);
  clear_stack();
  churn(4 << 20);
  if (*argv[1] == 'c') MUST(mprotect(p, kPage, PROT_READ | PROT_WRITE) == 0);
  check_list((struct node**)p, kNodes);
  puts("alive");
  return 0;
}
