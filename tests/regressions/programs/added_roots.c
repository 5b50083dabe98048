/* gc_add_root of ranges that are not, or not all, there; and of one that only it makes seen. */
#include <errno.h>
#include <sys/mman.h>

#include "alive.h"
#include "heaprake/gc.h"

enum { kPage = 4096 };

static void* at(uintptr_t address) {
  return (void*)address;
}

static void refused(uintptr_t lo, uintptr_t hi) {
  errno = 0;
  MUST(!gc_add_root(at(lo), at(hi)) && errno == EINVAL);
}

/* Taken, and harmless; or refused as above. */
static void harmless(uintptr_t lo, uintptr_t hi) {
  struct node* kept;
  put_list(&kept, 10);
  errno = 0;
  if (gc_add_root(at(lo), at(hi))) {
    gc_collect();
    gc_collect();
    MUST(gc_remove_root(at(lo), at(hi)));
  } else {
    MUST(errno == EINVAL);
  }
  check_list(&kept, 10);
}

APART gc_id_t put_block(void** to) {
  *to = malloc(1000);
  return gc_id(*to);
}

/* The pointer lies in a file that is mapped without permission to write. */
static void kept_by_a_file(void) {
  FILE* file = tmpfile();
  MUST(file && ftruncate(fileno(file), 2 * kPage) == 0);
  void** writable = mmap(NULL, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
  MUST(writable != MAP_FAILED);
  gc_id_t id = put_block(writable);
  MUST(munmap(writable, 2 * kPage) == 0);
  char* sealed = mmap(NULL, 2 * kPage, PROT_READ, MAP_SHARED, fileno(file), 0);
  MUST(sealed != MAP_FAILED && gc_add_root(sealed, sealed + kPage));
  clear_stack();
  gc_collect();
  MUST(gc_object_exists(id));
  /* Half of the range is gone. */
  MUST(gc_add_root(sealed, sealed + 2 * kPage) && munmap(sealed + kPage, kPage) == 0);
  gc_collect();
  MUST(gc_object_exists(id));
  MUST(gc_remove_root(sealed, sealed + kPage) && gc_remove_root(sealed, sealed + 2 * kPage));
  errno = 0;
  MUST(!gc_remove_root(sealed, sealed + kPage) && errno == ENOENT);
  fclose(file);
}

int main(void) {
  bound();
  refused(0x1000, 0x1000);
  refused(0x2000, 0x1000);
  refused(0, UINTPTR_MAX);
  refused(0xffff800000000000, 0xffff800000001000);
  refused(0xffffffffff600000, 0xffffffffff601000);
  refused(0x7ffffffff000, 0x800000001000);
  harmless(0x10000000000, 0x10000000000 + 0x100000000000);
  harmless(0x10000, 0x7ffffffff000);
  harmless(0x10001, 0x100003);
  harmless(1, 2);
  char* unmapped = mmap(NULL, 16 * kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  MUST(unmapped != MAP_FAILED && munmap(unmapped, 16 * kPage) == 0);
  harmless((uintptr_t)unmapped, (uintptr_t)unmapped + 16 * kPage);
  size_t huge = (size_t)1 << 42;
  char* closed = mmap(NULL, huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (closed != MAP_FAILED) harmless((uintptr_t)closed, (uintptr_t)closed + huge);
  kept_by_a_file();
  puts("harmless");
  return 0;
}
