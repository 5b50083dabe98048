/* The program itself answers for pages of shared memory (userfaultfd): the first look at each, also
 * where it is in memory already. A look while the world is stopped would last for ever. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "alive.h"

enum { kPage = 4096, kPages = 64, kNodes = 20 };

static int faults;
static volatile int answered;

static void* answer(void* none) {
  for (;;) {
    struct uffd_msg message;
    if (read(faults, &message, sizeof message) != sizeof message) continue;
    MUST(message.event == UFFD_EVENT_PAGEFAULT);
    churn(1000);
    struct uffdio_continue page = {
        .range = {message.arg.pagefault.address & ~(kPage - 1ULL), kPage}};
    ++answered;
    MUST(ioctl(faults, UFFDIO_CONTINUE, &page) == 0);
  }
  return none;
}

APART int skip(const char* why) {
  printf("skipped: %s\n", why);
  return 77;
}

APART void fill(int file) {
  char* writable = mmap(NULL, kPages * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  MUST(writable != MAP_FAILED);
  for (int i = 0; i < kPages; ++i) put_list((struct node**)(writable + i * kPage), kNodes);
  MUST(munmap(writable, kPages * kPage) == 0);
}

int main(void) {
  bound();
  faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
  if (faults < 0) return skip("no userfaultfd");
  struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_MINOR_SHMEM};
  if (ioctl(faults, UFFDIO_API, &api) != 0) return skip("no minor faults");
  int file = memfd_create("answered for", 0);
  MUST(file >= 0 && ftruncate(file, kPages * kPage) == 0);
  fill(file);
  char* area = mmap(NULL, kPages * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  MUST(area != MAP_FAILED);
  struct uffdio_register wanted = {.range = {(unsigned long)area, kPages * kPage},
                                   .mode = UFFDIO_REGISTER_MODE_MINOR};
  MUST(ioctl(faults, UFFDIO_REGISTER, &wanted) == 0);
  pthread_t thread;
  MUST(pthread_create(&thread, NULL, answer, NULL) == 0);
  clear_stack();
  churn(4 << 20);
  for (int i = 0; i < kPages; ++i) check_list((struct node**)(area + i * kPage), kNodes);
  MUST(answered == kPages);
  /* All of it is there now: collections go on. */
  clear_stack();
  churn(32 << 20);
  for (int i = 0; i < kPages; ++i) check_list((struct node**)(area + i * kPage), kNodes);
  puts("alive");
  return 0;
}
