/* What mimalloc_unit.c and the rest of the room know of each other. C, because mimalloc is.
 *
 * heaprake_host_*: stand in for the libc calls that mimalloc makes. Same results and conventions as
 * the originals, but that a failure sets heaprake_host_errno, never the program's errno.
 * heaprake_mimalloc_*: what differs between mimalloc's versions, behind one name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

extern __thread int heaprake_host_errno;

void* heaprake_host_mmap(void* hint, size_t bytes, int protection);
int heaprake_host_munmap(void* p, size_t bytes);
/* Inside the range, PROT_WRITE means: commit, and blocks may appear there from now on. */
int heaprake_host_mprotect(void* p, size_t bytes, int protection);
int heaprake_host_madvise(void* p, size_t bytes, int advice);
/* Whatever clock is asked for, the coarse monotonic one: mimalloc counts milliseconds. libc's may
 * be a stand-in that is not ready when the first block is asked for (ThreadSanitizer's), or that
 * allocates. */
int heaprake_host_clock_gettime(struct timespec* now);
/* The calling thread got a heap of mimalloc's own, which mi_thread_done must give back. */
void heaprake_host_thread_has_heap(void);

/* Whether memory that mimalloc has decommitted (MADV_DONTNEED) is used again only after
 * heaprake_host_mprotect. */
extern const bool heaprake_mimalloc_recommits;
/* What mimalloc takes of an arena at a time, aligned to as much, its own bookkeeping first. */
extern const size_t heaprake_mimalloc_segment_bytes;

/* What mi_malloc of at most 1024 bytes has at hand, NULL if it would have to look further. */
void* heaprake_mimalloc_pop(size_t bytes);
void heaprake_mimalloc_free(void* p);
/* How many blocks are in use in the page that p is in; 0 unless it is the calling thread's, and
 * 64 KiB long. */
size_t heaprake_mimalloc_used_blocks(void* p);
/* Frees all of them, when the call before has said how many they are: clears their memory. */
void heaprake_mimalloc_empty_page(void* p);
/* Whether the calling thread is in mimalloc's call of its deferred_free function, which is not
 * called again meanwhile; and what it is told instead. */
bool heaprake_mimalloc_exchange_deferring(bool deferring);
/* Sets every option that we do not leave to mimalloc. Before the first allocation. */
void heaprake_mimalloc_configure(void);
/* More memory for blocks: reserved, uncommitted, zero, 64 MiB aligned. */
bool heaprake_mimalloc_give(void* start, size_t bytes);
/* In a forked child: forgets that other threads were in the middle of something. */
void heaprake_mimalloc_after_fork(void);

#ifdef __cplusplus
}
#endif
