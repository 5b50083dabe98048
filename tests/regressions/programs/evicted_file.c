/* A shared mapping of a file holds the only pointer to a list, and the kernel has written its pages
 * out and dropped them, as it does when memory is short. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "alive.h"

/* With a hole, which stays one. */
enum { kPage = 4096, kNodes = 200, kSkipped = 77 };
static const size_t kBytes = (size_t)1 << 28;

int main(int argc, char** argv) {
  bound();
  MUST(argc == 2);
  int file = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  MUST(file >= 0);
  if (ftruncate(file, kBytes) != 0) return kSkipped;
  char* p = mmap(NULL, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  MUST(p != MAP_FAILED);
  put_list((struct node**)p, kNodes);
  MUST(msync(p, kPage, MS_SYNC) == 0 && madvise(p, kPage, MADV_DONTNEED) == 0);
  MUST(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0);
  unsigned char resident = 0;
  MUST(mincore(p, kPage, &resident) == 0);
  clear_stack();
  churn(4 << 20);
  check_list((struct node**)p, kNodes);
  MUST(unlink(argv[1]) == 0);
  /* A file system in memory drops nothing. */
  if (resident & 1) return kSkipped;
  puts("alive");
  return 0;
}
