/* The snapshot, version 2: what the victim writes and the command reads. A stream, so that it can
 * go to a socket from a process that has no memory to spare:
 *
 *   struct heaprake_snapshot_header
 *   chunk, chunk, ...            each struct heaprake_snapshot_chunk and `length` bytes
 *   the chunk of kind END        nothing after it; without it the snapshot is damaged
 *
 * The payloads of all chunks of one kind, put together in their order, are that kind's section;
 * sections may be cut and mixed in any way, but a record never goes over the end of a chunk.
 * Little-endian. In sections, unless said otherwise, every number is a *varint*: LEB128, unsigned,
 * at most ten bytes; *signed* is a varint of (n << 1) ^ (n >> 63). A *text* is a varint with the
 * number of bytes, and the bytes. */
#ifndef HEAPRAKE_SNAPSHOT_H
#define HEAPRAKE_SNAPSHOT_H

#include <stdint.h>

#define HEAPRAKE_SNAPSHOT_MAGIC 0x32504e5345524148ull /* "HARESNP2" */
#define HEAPRAKE_SNAPSHOT_VERSION 2u
#define HEAPRAKE_SNAPSHOT_MAX_CHUNK (1u << 20) /* bytes of payload */
#define HEAPRAKE_SNAPSHOT_MAX_EDGES 16384u     /* of one record of a block */

/* heaprake_snapshot_header.flags */
#define HEAPRAKE_SNAPSHOT_ALL 1u         /* reachable blocks have records too, and ROOTS is there */
#define HEAPRAKE_SNAPSHOT_WITH_STACKS 2u /* allocation stacks were recorded */

struct heaprake_snapshot_header {
  uint64_t magic;
  uint32_t version;
  uint32_t flags;
  uint32_t pid;
  uint32_t alignment; /* of words that counted as references */
  uint64_t taken_ns;  /* CLOCK_REALTIME */
  uint64_t uptime_ms; /* of the process; block times count from the same start */
  uint64_t heap_base; /* granules (16 bytes) are counted from here */
};

struct heaprake_snapshot_chunk {
  uint32_t kind;
  uint32_t length;
};

enum heaprake_snapshot_kind {
  /* text each: argv */
  HEAPRAKE_SNAPSHOT_COMMAND = 1,
  /* text each: a sentence without full stop, why something could not be seen. No such section: the
   * snapshot is complete. */
  HEAPRAKE_SNAPSHOT_INCOMPLETE = 2,
  /* Module 0, 1, ...: load address (0 for a program that is not position-independent); its first
   * byte; one past its last; flags; text: build id (raw bytes); text: path. */
  HEAPRAKE_SNAPSHOT_MODULES = 3,
  /* Thread 1, 2, ...: tid; flags; text: name. Number 0 is an unknown thread. */
  HEAPRAKE_SNAPSHOT_THREADS = 4,
  /* Stack 1, 2, ...: number of frames, innermost first; each: module + 1, or 0; then the return
   * address minus the module's load address, or the return address. Number 0: no stack is known. */
  HEAPRAKE_SNAPSHOT_STACKS = 5,
  /* String 1, 2, ...: text. Number 0 is no string. */
  HEAPRAKE_SNAPSHOT_STRINGS = 6,
  /* A reference from outside the blocks each: kind (gc_reference_kind); where: GLOBAL module + 1,
   * STACK, REGISTER and TLS thread, others 0; the word's address (REGISTER: its offset in the
   * thread's registers); string: name of the mapping, HEAPRAKE_SNAPSHOT_DEAD_FRAME for a STACK's
   * word in what functions that have returned left there; granule at which the block referred to
   * starts; offset in that block. */
  HEAPRAKE_SNAPSHOT_ROOTS = 7,
  /* A block each, in address order:
   *   granules from the start of the previous block (first: from heap_base) to this one's start
   *   size in granules: what is scanned
   *   size in bytes minus bytes asked for
   *   flags
   *   stack; thread; milliseconds from the process' start to its allocation
   *   string: its type, only with flag TYPED
   *   number of words of content that follow; so many 8-byte words, from the block's start: the
   *     first 64 of an unreachable block, of others what tells a vtable or an array's count
   *   number of references to blocks that it holds; each, in order of offset (a word that may be an
   *   address in several forms may be several):
   *     offset of the word minus that of the previous one (first: its offset)
   *     signed: granule at which the block referred to starts, minus this block's
   *     offset in that block
   * A block with more than HEAPRAKE_SNAPSHOT_MAX_EDGES references is followed by records at
   * distance 0 from it: the same block once more, without words, with its further references (the
   * offset of the first counts from the block's start again). These are no blocks of their own. */
  HEAPRAKE_SNAPSHOT_BLOCKS = 8,
  /* Raw text, in LeakSanitizer's format: what __lsan_default_suppressions returns. */
  HEAPRAKE_SNAPSHOT_SUPPRESSIONS = 9,
  /* struct heaprake_snapshot_end */
  HEAPRAKE_SNAPSHOT_END = 10,
  /* Raw text: what __lsan_default_options returns. */
  HEAPRAKE_SNAPSHOT_OPTIONS = 11,
  /* Once: text: name of the host, as uname says; text: version of the library. */
  HEAPRAKE_SNAPSHOT_ORIGIN = 12
};

/* Directories of this name and a few characters more are `heaprake hunt`'s own. A process that
 * cannot write its snapshot there leaves a symbolic link of that file's name and this suffix, which
 * refers to the error's number. */
#define HEAPRAKE_HUNT_DIRECTORY "heaprake-hunt"
#define HEAPRAKE_HUNT_WHY ".why"
/* Where children count each process leaves such a link to its program's name when it begins: one
 * when the library is loaded, one when it has been forked. Who has one, but no snapshot, ended
 * unseen. */
#define HEAPRAKE_HUNT_BEGAN ".began"
#define HEAPRAKE_HUNT_FORKED ".forked"

#define HEAPRAKE_SNAPSHOT_DEAD_FRAME "[dead frame]"

/* Flags of a module. */
#define HEAPRAKE_MODULE_LOADED 1u  /* else it has been closed */
#define HEAPRAKE_MODULE_PROGRAM 2u /* the main program */
/* Flags of a thread. */
#define HEAPRAKE_THREAD_ALIVE 1u
#define HEAPRAKE_THREAD_MAIN 2u
/* Flags of a block. */
#define HEAPRAKE_BLOCK_REACHABLE 1u
#define HEAPRAKE_BLOCK_LEAF 2u
#define HEAPRAKE_BLOCK_IGNORED 4u /* the program said so (__lsan_ignore_object, __lsan_disable) */
#define HEAPRAKE_BLOCK_TYPED 8u
#define HEAPRAKE_BLOCK_INHERITED 16u /* older than the fork that made this process */

/* Totals over all blocks, with or without a record. Unreachable ones that are ignored, and what
 * only these reach, count as reachable; so do inherited ones, which are the parent's to report,
 * unless option `inherited` asks for them. */
struct heaprake_snapshot_end {
  uint64_t blocks; /* records of each section; a reader that finds others has a damaged file */
  uint64_t edges;
  uint64_t roots;
  uint64_t reachable_blocks;
  uint64_t reachable_bytes; /* bytes asked for */
  uint64_t unreachable_blocks;
  uint64_t unreachable_bytes; /* bytes asked for */
};

#endif
