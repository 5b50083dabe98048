/* heaprake/gc.h: a garbage collector for memory blocks, in the shape of Python's gc module.
 *
 * A *block* is one allocation (malloc, operator new, ...). A *reference* to it is an aligned
 * machine word, in a root or in a recorded block, whose value is an address inside the block. A
 * root is what a thread's stack or registers, a global, thread-local storage or another mapping
 * holds.
 *
 * Threads: every function may be called from any thread at any time, before main and in atexit
 * handlers too. Functions marked [stops] bring the other threads to a halt while they work.
 * Errors: nothing here aborts the program. A call with a bad argument returns 0, NULL or false and
 * sets errno (EINVAL unless said otherwise). A call that succeeds leaves errno alone.
 * Sizes are in bytes, times in nanoseconds.
 *
 * The functions are named gc_*; their dynamic symbols are heaprake_* so that a preloaded
 * libheaprake.so never hijacks a gc_enable of the program's own. */
#ifndef HEAPRAKE_GC_H
#define HEAPRAKE_GC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define HEAPRAKE_NOEXCEPT noexcept
#else
#define HEAPRAKE_NOEXCEPT
#endif

/* Binds the C name gc_x to the dynamic symbol heaprake_x, whatever -fvisibility says. */
#define HEAPRAKE_API(name) \
  HEAPRAKE_NOEXCEPT __asm__("heaprake_" #name) __attribute__((visibility("default")))

/* Tells the compiler that argument n is an address only: what it points to is not read, so it need
 * not be initialised. */
#if defined(__has_attribute)
#if __has_attribute(access)
#define HEAPRAKE_ADDRESS(n) __attribute__((access(none, n)))
#endif
#endif
#ifndef HEAPRAKE_ADDRESS
#define HEAPRAKE_ADDRESS(n)
#endif

/* A disguised address. Holding one keeps nothing alive and is never counted as a reference. */
typedef uintptr_t gc_id_t;

/* One recorded block. `size` is the length that malloc_usable_size reports. */
typedef struct gc_object {
  void* address;
  size_t size;
  unsigned leaf; /* 1 if the block is not scanned (gc_malloc_leaf), else 0 */
} gc_object;

typedef enum gc_reference_kind {
  GC_REFERENCE_BLOCK = 1, /* another block (or the block itself) holds it */
  GC_REFERENCE_GLOBAL,    /* a writable segment of the program or of a library */
  GC_REFERENCE_STACK,     /* a thread's stack */
  GC_REFERENCE_REGISTER,  /* a register of a stopped thread */
  GC_REFERENCE_TLS,       /* a thread's control block and static thread-local storage */
  GC_REFERENCE_MAPPING,   /* any other mapping, gc_add_root ranges included */
  GC_REFERENCE_PINNED     /* gc_pin: one, however often the block is pinned */
} gc_reference_kind;

/* One reference to a block. */
typedef struct gc_reference {
  gc_reference_kind kind;
  gc_id_t holder;   /* kind BLOCK: the id of the block that holds the word; otherwise 0 */
  size_t offset;    /* of the word: in the holding block, in the module, or in the mapping */
  const char* name; /* module, "[stack]", register or mapping name; "" if unknown. Valid until
                       the library that it names is closed. */
} gc_reference;

/* Figures since the start of the process. Fields are rows of heaprake/stats.def. */
typedef struct gc_stats {
#define HEAPRAKE_STAT(type, name, text) type name;
#include "heaprake/stats.def"
#undef HEAPRAKE_STAT
} gc_stats;

/* --- Automatic collection ------------------------------------------------------------------- */

/* Turn automatic collection on or off. Idempotent. Like gc.enable, gc.disable, gc.isenabled. */
void gc_enable(void) HEAPRAKE_API(enable);
void gc_disable(void) HEAPRAKE_API(disable);
bool gc_isenabled(void) HEAPRAKE_API(isenabled);

/* [stops] A full collection now, also while automatic collection is disabled. Returns the number of
 * blocks that it reclaimed; 0 when called from within a running collection of this thread, and when
 * the collection was given up because a thread could not be stopped (gc_stats.given_up counts
 * those). In mode hunt nothing is reclaimed and the number of unreachable blocks is returned; in
 * mode off, 0. Like gc.collect. */
size_t gc_collect(void) HEAPRAKE_API(collect);

/* When an automatic collection may start: after `bytes` of allocation since the last one, and once
 * these are also at least `growth` percent of the heap that survived it. bytes == 0 turns automatic
 * collection off without changing gc_isenabled. Like gc.set_threshold; Python counts objects,
 * heaprake counts bytes. growth > 10000 is an error: returns false. */
bool gc_set_threshold(size_t bytes, unsigned growth) HEAPRAKE_API(set_threshold);
/* Either pointer may be NULL. */
void gc_get_threshold(size_t* bytes, unsigned* growth) HEAPRAKE_API(get_threshold);
/* Bytes allocated since the last collection (each thread's last few KiB are counted late). */
size_t gc_get_count(void) HEAPRAKE_API(get_count);

/* --- What exists ---------------------------------------------------------------------------- */

/* How many blocks exist now. Fills at most `capacity` entries of `out`; (NULL, 0) counts only. The
 * answer of a program whose other threads allocate is a moment's approximation. Like
 * gc.get_objects. */
size_t gc_objects(gc_object* out, size_t capacity) HEAPRAKE_API(objects);

/* The id of the block that contains p (an interior address will do), 0 if there is none. */
gc_id_t gc_id(const void* p) HEAPRAKE_API(id) HEAPRAKE_ADDRESS(1);
/* The address of the block with that id, NULL if it does not exist any more. */
void* gc_address(gc_id_t id) HEAPRAKE_API(address);
/* Whether the block with that id exists. */
bool gc_object_exists(gc_id_t id) HEAPRAKE_API(object_exists);
/* Whether p is the address of a recorded block that collections scan. Like gc.is_tracked. */
bool gc_is_tracked(const void* p) HEAPRAKE_API(is_tracked) HEAPRAKE_ADDRESS(1);

/* --- Who refers to whom --------------------------------------------------------------------- */

/* [stops] How many references to the block there are, from anywhere, itself included; 0 if it does
 * not exist. The calling function's own registers that a call clobbers do not count; nor do words
 * that the kernel alone holds (epoll data, messages under way), although they keep a block. errno
 * EAGAIN and 0 when the other threads could not be stopped. */
size_t gc_refcount(gc_id_t id) HEAPRAKE_API(refcount);

/* [stops] As many as gc_refcount counts; fills at most `capacity` entries. Like gc.get_referrers.
 */
size_t gc_referrers(gc_id_t id, gc_reference* out, size_t capacity) HEAPRAKE_API(referrers);

/* How many references the block that contains p holds; fills the ids of at most `capacity` blocks
 * referred to, in address order of the words, repeats included. Like gc.get_referents. */
size_t gc_referents(const void* p, gc_id_t* out, size_t capacity) HEAPRAKE_API(referents)
    HEAPRAKE_ADDRESS(1);

/* --- Roots and special blocks --------------------------------------------------------------- */

/* Memory to scan as well, [lo, hi). For what the scanner does not see by itself: memory that is not
 * mapped readable and writable when a collection runs. What of the range is not mapped then is
 * passed over. Returns false on an empty range or one that no program can have (EINVAL), or when
 * out of memory (ENOMEM). */
bool gc_add_root(const void* lo, const void* hi) HEAPRAKE_API(add_root) HEAPRAKE_ADDRESS(1)
    HEAPRAKE_ADDRESS(2);
/* Takes back exactly one gc_add_root of the same range; false (ENOENT) if there was none. */
bool gc_remove_root(const void* lo, const void* hi) HEAPRAKE_API(remove_root) HEAPRAKE_ADDRESS(1)
    HEAPRAKE_ADDRESS(2);

/* Keep the block that contains p, and what it refers to, until as many gc_unpin. For addresses that
 * no scan can see (XOR lists, files, compressed pointers). false if p is in no block. */
bool gc_pin(const void* p) HEAPRAKE_API(pin) HEAPRAKE_ADDRESS(1);
bool gc_unpin(const void* p) HEAPRAKE_API(unpin) HEAPRAKE_ADDRESS(1);

/* A block that holds no pointers and is not scanned. free() it as any other. NULL and ENOMEM as
 * malloc. Like GC_malloc_atomic. */
void* gc_malloc_leaf(size_t size) HEAPRAKE_API(malloc_leaf);

/* --- Figures -------------------------------------------------------------------------------- */

void gc_get_stats(gc_stats* out) HEAPRAKE_API(get_stats);

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif /* HEAPRAKE_GC_H */
