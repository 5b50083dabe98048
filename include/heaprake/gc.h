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
 * sets errno (EINVAL unless said otherwise): a pointer that lies in no block where a block is asked
 * for, an id that no block can have. That a block with a well-formed id is gone is an answer, not
 * an error. A call that succeeds leaves errno alone.
 * Modes: in mode hunt nothing is ever reclaimed, so no finalizer runs and weak references are
 * cleared by free alone; in mode off the same, and there are no collections. Mode oracle does all
 * that mode collect does, except that the memory stays as it is.
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

/* Figures since the start of the process, a forked child's since the fork. Fields are rows of
 * heaprake/stats.def. */
typedef struct gc_stats {
#define HEAPRAKE_STAT(type, name, text) type name;
#include "heaprake/stats.def"
#undef HEAPRAKE_STAT
} gc_stats;

/* --- Automatic collection ----------------------------------------------------------------- */

/* Turn automatic collection on or off. Idempotent. Like gc.enable, gc.disable, gc.isenabled. */
void gc_enable(void) HEAPRAKE_API(enable);
void gc_disable(void) HEAPRAKE_API(disable);
bool gc_isenabled(void) HEAPRAKE_API(isenabled);

/* [stops] A full collection now, also while automatic collection is disabled. Runs the finalizers
 * that are due. Returns the number of blocks that it reclaimed, those that finalizers left
 * unreachable included; 0 when called from a callback or finalizer of a running one, and when the
 * collection was given up because a thread could not be stopped (gc_stats.given_up counts those).
 * In a signal handler, which may have interrupted malloc, it only marks and returns 0: the next
 * allocation frees, and finalizers wait. In mode hunt nothing is reclaimed and the number of
 * unreachable blocks is returned; in mode off, 0. Like gc.collect; there are no generations, hence
 * no argument. */
size_t gc_collect(void) HEAPRAKE_API(collect);

/* When an automatic collection may start: after `bytes` of allocation since the last one, and once
 * these are also at least `growth` percent of the heap that survived it. bytes == 0 turns automatic
 * collection off without changing gc_isenabled. Like gc.set_threshold; Python counts allocations
 * less deallocations of container objects, heaprake counts bytes allocated, since a block may have
 * any size; there is one number where Python has one for each generation. growth > 10000 is an
 * error: returns false. */
bool gc_set_threshold(size_t bytes, unsigned growth) HEAPRAKE_API(set_threshold);
/* Either pointer may be NULL. */
void gc_get_threshold(size_t* bytes, unsigned* growth) HEAPRAKE_API(get_threshold);
/* Bytes allocated since the last collection (each thread's last few KiB are counted late), to be
 * compared with the threshold's bytes. Like gc.get_count. */
size_t gc_get_count(void) HEAPRAKE_API(get_count);

/* --- What exists -------------------------------------------------------------------------- */

/* How many blocks exist now. Fills at most `capacity` entries of `out`; (NULL, 0) counts only. The
 * answer of a program whose other threads allocate is a moment's approximation. Like
 * gc.get_objects. */
size_t gc_objects(gc_object* out, size_t capacity) HEAPRAKE_API(objects);

/* The id of the block that contains p (an interior address will do); 0 and EINVAL if there is none.
 * Like id(). */
gc_id_t gc_id(const void* p) HEAPRAKE_API(id) HEAPRAKE_ADDRESS(1);
/* The address of the block with that id, NULL if it does not exist any more. */
void* gc_address(gc_id_t id) HEAPRAKE_API(address);
/* Whether the block with that id exists. Any value is a good question. */
bool gc_object_exists(gc_id_t id) HEAPRAKE_API(object_exists);
/* Whether p is the address of a block that collections scan; false of an address inside one, and of
 * a leaf. Of an address in no block, false and EINVAL. Like gc.is_tracked. */
bool gc_is_tracked(const void* p) HEAPRAKE_API(is_tracked) HEAPRAKE_ADDRESS(1);

/* --- Who refers to whom ------------------------------------------------------------------- */

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

/* --- Roots and special blocks ------------------------------------------------------------- */

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

/* --- Finalizers --------------------------------------------------------------------------- */

/* `fn(block, arg)` is called once, after the block was found unreachable and before it is
 * reclaimed, while the program runs, with no lock held, and with all that the block leads to still
 * there. Like __del__, and in the order of Python's PEP 442:
 *
 * gc_collect finds what is unreachable, runs the finalizers of all of it, and looks again: what
 * they have made reachable (stored the block's address somewhere, say) stays until it is dropped
 * again; the rest is reclaimed.
 *
 * Automatic collections happen inside malloc, where the program may hold locks, and those that the
 * command heaprake asks for in a signal handler. They leave blocks with finalizers, and all that
 * these lead to, until the next gc_collect or gc_run_finalizers; callbacks are told how many wait.
 *
 * Finalizers run on the thread that calls one of these two. A block's comes before those of blocks
 * that it leads to and that do not lead back to it; in a circle, and where neither leads to the
 * other, in the order in which they were set. A finalizer may allocate, free (its own block too),
 * lock, and use this interface, but gc_collect does nothing there, nor do automatic collections
 * start on its thread. It may leave by longjmp, which is told of on stderr: the others run at the
 * next gc_collect. An exception out of one is told of, counted (errors_reported) and ignored. (Not
 * where the C++ library is linked statically into the program, or loaded with a plugin alone: there
 * only gc.hpp's finalizers stop them.)
 *
 * There is no finalizer for a block that the program frees itself, nor at the end of the process.
 * What `arg` points to is kept until the finalizer has run: it must not lead to the block, unless
 * it is the block. realloc keeps the finalizer. fn == NULL takes it back. Returns false for an
 * address in no block, EALREADY when the finalizer of this block is due or has been run, ENOMEM. */
typedef void (*gc_finalizer)(void* block, void* arg);
bool gc_set_finalizer(const void* p, gc_finalizer fn, void* arg) HEAPRAKE_API(set_finalizer)
    HEAPRAKE_ADDRESS(1);
/* A finalizer that ends what lives in the block, as a C++ destructor does (gc.hpp's make sets one):
 * once it is due there is nothing left to save. So when a collection queues it, weak references to
 * the block are cleared at once, and with them those to all garbage that references connect with
 * it, in whichever direction: through none of it can the program come to something destroyed.
 * gc_weak_new of the block fails from then on (EALREADY). What else the block leads to, because the
 * program still used it when the collection looked, stays until the destructor has run, for weak
 * references too; it is found by a later collection. Like the clearing of weak references in
 * CPython's collector, which comes before __del__.
 *
 * In a child that is forked while the process has several threads, destructors set before the fork
 * do not run: another thread may have been in the middle of destroying the object itself.
 *
 * All else is as with gc_set_finalizer, and a block has one of the two: the last to be set. */
bool gc_set_destructor(const void* p, gc_finalizer fn, void* arg) HEAPRAKE_API(set_destructor)
    HEAPRAKE_ADDRESS(1);
/* Whether the block's finalizer has been called: stays true if the block lives on. Like
 * gc.is_finalized. */
bool gc_is_finalized(const void* p) HEAPRAKE_API(is_finalized) HEAPRAKE_ADDRESS(1);
/* Runs the finalizers that automatic collections have left; what they concern is reclaimed by the
 * next collection. For a program's main loop. Returns how many; 0 when called from one, and in a
 * signal handler. */
size_t gc_run_finalizers(void) HEAPRAKE_API(run_finalizers);
/* Tells on stderr of an error in a finalizer or callback of p that there is nobody to tell of, and
 * counts it (gc_stats.errors_reported). Like sys.unraisablehook. */
void gc_report_error(const void* p, const char* what) HEAPRAKE_API(report_error)
    HEAPRAKE_ADDRESS(1);

/* --- Weak references ---------------------------------------------------------------------- */

/* Refers to a block without keeping it alive, and without counting as a reference. */
typedef struct gc_weak gc_weak;

/* A weak reference to p, which may lie inside a block. The same one for the same address, to be
 * freed as often. NULL: p is in no block (EINVAL), its destructor is due or has run (EALREADY),
 * ENOMEM. Like weakref.ref. */
gc_weak* gc_weak_new(const void* p) HEAPRAKE_API(weak_new) HEAPRAKE_ADDRESS(1);
/* p, which is then an ordinary reference and keeps the block as long as the program holds it; NULL
 * once the block has been reclaimed or freed. Never blocks. It is cleared before the memory goes,
 * and after finalizers had their chance to save the block, but before a destructor. (With another
 * thread that *frees* the block at the same moment it is as with any pointer.) realloc keeps it,
 * unless the block then ends before p. */
void* gc_weak_get(const gc_weak* weak) HEAPRAKE_API(weak_get);
/* false (EINVAL) if it is none. */
bool gc_weak_free(gc_weak* weak) HEAPRAKE_API(weak_free);

/* --- Names -------------------------------------------------------------------------------- */

/* Notes what the block is, for gc_type and reports. The name is copied and kept for ever, once for
 * each name. NULL takes it back. false: EINVAL, ENOMEM. */
bool gc_set_type(const void* p, const char* name) HEAPRAKE_API(set_type) HEAPRAKE_ADDRESS(1);
/* The name, NULL if nothing is known. */
const char* gc_type(const void* p) HEAPRAKE_API(type) HEAPRAKE_ADDRESS(1);

/* --- Watching collections ----------------------------------------------------------------- */

typedef enum gc_phase { GC_PHASE_START = 1, GC_PHASE_STOP } gc_phase;

/* All 0 at the start, but `automatic`. */
typedef struct gc_info {
  size_t collected;       /* blocks reclaimed (mode hunt: found unreachable) */
  size_t collected_bytes; /* bytes in them */
  size_t finalizers;      /* that wait for gc_collect or gc_run_finalizers now */
  unsigned automatic;     /* 1 if an allocation started it, 0 if gc_collect did */
} gc_info;

/* Called at the start and at the stop of every collection that gc_collect or an allocation starts,
 * on its thread while the program runs, in the order in which they were added. (A collection that
 * the command heaprake asks for takes place in a signal handler, and calls nothing.) When it is an
 * allocation, the callback runs inside malloc: it may allocate, but must not wait for a lock that
 * is held around allocations. gc_collect called here does nothing and returns 0. After a collection
 * that was given up all figures are 0. What `arg` points to is kept. Exceptions are dealt with as a
 * finalizer's. Like gc.callbacks. */
typedef void (*gc_callback)(gc_phase phase, const gc_info* info, void* arg);
bool gc_add_callback(gc_callback fn, void* arg) HEAPRAKE_API(add_callback);
/* Takes back one gc_add_callback of the same; false (ENOENT) if there is none. */
bool gc_remove_callback(gc_callback fn, void* arg) HEAPRAKE_API(remove_callback);

/* --- Debugging ---------------------------------------------------------------------------- */

/* What gc_set_debug turns on, with the numbers of Python's gc. STATS tells on stderr of each
 * collection, as the option verbose does. COLLECTABLE tells of each unreachable block: address,
 * size, and type if known. SAVEALL keeps unreachable blocks instead of freeing them; gc_garbage
 * lists them, and gc_collect returns as many as without it. LEAK is both of the latter: what a
 * program that looks for its leaks turns on. */
#define GC_DEBUG_STATS 1u       /* a line for every collection */
#define GC_DEBUG_COLLECTABLE 2u /* a line for every unreachable block */
#define GC_DEBUG_SAVEALL 32u    /* unreachable blocks are kept: see gc_garbage */
#define GC_DEBUG_LEAK (GC_DEBUG_COLLECTABLE | GC_DEBUG_SAVEALL)

/* The flags that are set from now on, as a sum; 0 for none. False and EINVAL for other bits. Like
 * gc.set_debug, gc.get_debug. */
bool gc_set_debug(unsigned flags) HEAPRAKE_API(set_debug);
unsigned gc_get_debug(void) HEAPRAKE_API(get_debug);

/* How many blocks GC_DEBUG_SAVEALL has kept, and that the program has not freed; fills at most
 * `capacity` entries. Finalizers of these have run, and weak references to them are cleared. Like
 * gc.garbage. */
size_t gc_garbage(gc_object* out, size_t capacity) HEAPRAKE_API(garbage);
/* Lets go of them: what is still unreachable goes with the next collection. Like
 * gc.garbage.clear(). */
void gc_clear_garbage(void) HEAPRAKE_API(clear_garbage);

/* All blocks that exist now are kept by every collection, and scanned, until gc_unfreeze. A bit for
 * every 16 bytes of the heap. The place of a frozen block that the program frees, and that another
 * block takes before the next collection, stays frozen. False: ENOMEM. Like gc.freeze, gc.unfreeze,
 * gc.get_freeze_count. */
bool gc_freeze(void) HEAPRAKE_API(freeze);
void gc_unfreeze(void) HEAPRAKE_API(unfreeze);
size_t gc_get_freeze_count(void) HEAPRAKE_API(get_freeze_count);

/* --- Figures ------------------------------------------------------------------------------ */

/* Like gc.get_stats. */
void gc_get_stats(gc_stats* out) HEAPRAKE_API(get_stats);

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif /* HEAPRAKE_GC_H */
