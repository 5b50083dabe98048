/* mimalloc, compiled into the library as one object whose names nobody outside can see.
 *
 * The system's headers come first; then the libc calls that would disturb the host program are
 * renamed, and mimalloc's own sources follow. So mimalloc takes no pthread key, registers nothing
 * for exit, reads no environment and no file, prints nothing, leaves errno alone, and asks us for
 * memory. Written for 2.0.9 (Debian 12) and later 2.x. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mman.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "allocator/mimalloc_host.h"

__thread int heaprake_host_errno;

static char** const no_environment = NULL;

static inline int no_exit_handler(void (*handler)(void)) {
  (void)handler;
  return 0;
}

/* Random numbers only matter to mimalloc's secure mode: without these two it seeds them from the
 * clock, without a system call for every thread. */
static inline long no_system_call(void) {
  heaprake_host_errno = ENOSYS;
  return -1;
}
static inline int no_file(void) {
  heaprake_host_errno = ENOENT;
  return -1;
}

static inline int no_output(void) {
  return 0;
}

static inline int take_no_key(pthread_key_t* key) {
  *key = 0;
  return 0;
}
static inline int thread_heap_changed(const void* heap) {
  if (heap != NULL) heaprake_host_thread_has_heap();
  return 0;
}

/* The sources declare `extern char** environ`; that must be a declaration of something. */
extern char** heaprake_no_environ __attribute__((alias("no_environment"), visibility("hidden")));

#undef errno
#define errno heaprake_host_errno
#undef environ
#define environ heaprake_no_environ
#define getenv(name) ((void)(name), (char*)NULL)
#define atexit(handler) no_exit_handler(handler)
#define mmap(addr, size, prot, flags, fd, offset) \
  ((void)(flags), (void)(fd), heaprake_host_mmap(addr, size, prot))
#define munmap(p, size) heaprake_host_munmap(p, size)
#define mprotect(p, size, prot) heaprake_host_mprotect(p, size, prot)
#define madvise(p, size, advice) heaprake_host_madvise(p, size, advice)
#define clock_gettime(clock, now) ((void)(clock), heaprake_host_clock_gettime(now))
#define syscall(...) no_system_call()
#define open(...) no_file()
#define access(...) no_file()
#define prctl(...) no_system_call()
#define fputs(text, stream) no_output()
#define pthread_key_create(key, destructor) ((void)(destructor), take_no_key(key))
#define pthread_key_delete(key) ((void)(key), 0)
#define pthread_setspecific(key, heap) ((void)(key), thread_heap_changed(heap))

#include "mimalloc.h"
#if (MI_MALLOC_VERSION >= 300 && MI_MALLOC_VERSION < 1000) || MI_MALLOC_VERSION >= 30000
#error "mimalloc 3 keeps its heaps and commits otherwise: take a 2.x source tree."
#endif

#if MI_MALLOC_VERSION < 210
/* As static.c includes them, but that a page which is empty again need not be retired anew;
 * the order is theirs. */
/* clang-format off */
#include "mimalloc-internal.h"
#include "stats.c"
#include "random.c"
#include "os.c"
#include "bitmap.c"
#include "arena.c"
#include "segment-cache.c"
#include "segment.c"
#include "page.c"
#include "heap.c"
/* clang-format on */

/* The only page of its size is kept for some cycles once it is empty. A program with few blocks
 * empties it again and again: as long as no cycle has passed there is nothing to do. */
static inline void retire_page(mi_page_t* page) {
  if (page->retire_expire == 0) {
    _mi_page_retire(page);
    return;
  }
  const bool small = page->xblock_size <= MI_SMALL_OBJ_SIZE_MAX;
  const bool alone = page->next == NULL && page->prev == NULL && page->flags.full_aligned == 0;
  if (alone && page->retire_expire == 1 + (small ? MI_RETIRE_CYCLES : MI_RETIRE_CYCLES / 4)) return;
  _mi_page_retire(page);
}
#define _mi_page_retire(page) retire_page(page)
#include "alloc.c"
#undef _mi_page_retire
#include "alloc-aligned.c"
#include "alloc-posix.c"
#include "init.c"
#include "options.c"
#else
#include "static.c"
#endif

const bool heaprake_mimalloc_recommits = MI_MALLOC_VERSION < 210;
const size_t heaprake_mimalloc_segment_bytes = MI_SEGMENT_SIZE;

static inline mi_heap_t* heap_of_thread(void) {
#if MI_MALLOC_VERSION < 210
  return mi_get_default_heap();
#else
  return mi_prim_get_default_heap();
#endif
}

/* The first lines of mi_malloc. Only by stopping where mi_malloc goes on to its slow path can the
 * caller do without a stack frame, which costs as much as the rest. */
void* heaprake_mimalloc_pop(size_t bytes) {
  mi_page_t* page = _mi_heap_get_free_small_page(heap_of_thread(), bytes);
  mi_block_t* block = page->free;
  if (block == NULL) return NULL;
  page->used++;
  page->free = mi_block_next(page, block);
  return block;
}

void heaprake_mimalloc_free(void* p) {
  mi_free(p);
}

#if MI_MALLOC_VERSION < 210
_Static_assert(MI_SEGMENT_SLICE_SIZE == 64 * 1024, "a small page is one slice of the heap's");

size_t heaprake_mimalloc_used_blocks(void* p) {
  mi_segment_t* segment = _mi_ptr_segment(p);
  if (segment->thread_id != _mi_thread_id()) return 0;
  mi_page_t* page = _mi_segment_page_of(segment, p);
  if (page->slice_count != 1 || mi_page_heap(page) != heap_of_thread()) return 0;
  /* What other threads have freed is still counted otherwise. */
  _mi_page_free_collect(page, false);
  return page->used;
}

/* As if every block had been freed, but that the lists need not be put together: none is left, and
 * the page is filled from its beginning again. */
void heaprake_mimalloc_empty_page(void* p) {
  mi_page_t* page = _mi_ptr_page(p);
  memset(_mi_page_start(_mi_page_segment(page), page, NULL), 0,
         (size_t)page->capacity * page->xblock_size);
  page->free = page->local_free = NULL;
  page->is_zero = page->is_zero_init = false; /* the capacity's rest was used before */
  page->capacity = 0;
  page->used = 0;
  _mi_page_retire(page);
}
#else
size_t heaprake_mimalloc_used_blocks(void* p) {
  (void)p;
  return 0;
}

void heaprake_mimalloc_empty_page(void* p) {
  (void)p;
}
#endif

bool heaprake_mimalloc_exchange_deferring(bool deferring) {
  mi_heap_t* heap = heap_of_thread();
  /* A thread without blocks shares a heap that nobody may write to. */
  if (!mi_heap_is_initialized(heap)) return false;
  const bool before = heap->tld->recurse;
  heap->tld->recurse = deferring;
  return before;
}

void heaprake_mimalloc_configure(void) {
  mi_option_set(mi_option_show_errors, 0);
  mi_option_set(mi_option_show_stats, 0);
  mi_option_set(mi_option_verbose, 0);
  mi_option_set(mi_option_use_numa_nodes, 1); /* else it reads /sys to count them */
#if MI_MALLOC_VERSION < 210
  mi_option_set(mi_option_limit_os_alloc, 1);
  /* A commit that fails is noticed only where segments are committed piecemeal. */
  mi_option_set(mi_option_eager_commit, 0);
  /* Whole segments are given up as soon as they are free: allocator/retained.h keeps some. */
  mi_option_set(mi_option_segment_decommit_delay, 0);
#else
  mi_option_set(mi_option_disallow_os_alloc, 1);
  mi_option_set(mi_option_eager_commit, 0);
  mi_option_set(mi_option_arena_eager_commit, 0);
  mi_option_set(mi_option_purge_decommits, 0);
#endif
}

bool heaprake_mimalloc_give(void* start, size_t bytes) {
  return mi_manage_os_memory_ex(start, bytes, false /* committed */, false /* large pages */,
                                true /* zero */, -1 /* numa node */, false /* exclusive */, NULL);
}

void heaprake_mimalloc_after_fork(void) {
#if MI_MALLOC_VERSION < 210
  /* A thread that the child does not have may have been reading the list of abandoned segments;
   * whoever gives a segment back waits for such readers. */
  mi_atomic_store_release(&abandoned_readers, (size_t)0);
#endif
}
