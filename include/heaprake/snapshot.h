/* The snapshot: what the victim writes and the command reads. Little-endian, fixed-width, no
 * padding. A header, then `blocks` block records in address order, then `edges` edge records in
 * (from, offset) order. A file whose size does not match its header is damaged. */
#ifndef HEAPRAKE_SNAPSHOT_H
#define HEAPRAKE_SNAPSHOT_H

#include <stdint.h>

#define HEAPRAKE_SNAPSHOT_MAGIC 0x31504e5345524148ull /* "HARESNP1" */

struct heaprake_snapshot_header {
  uint64_t magic;
  uint32_t version; /* 1 */
  uint32_t pid;
  uint64_t blocks; /* unreachable ones; each has a record */
  uint64_t edges;  /* references from unreachable blocks to unreachable blocks */
  uint64_t reachable_blocks;
  uint64_t reachable_bytes; /* bytes asked for */
  uint32_t complete;        /* 1; 0: some memory could not be scanned */
  uint32_t command_length;  /* bytes of the program's command line (NUL-separated argv), which
                               stand at the end of the file */
};

struct heaprake_snapshot_block {
  uint64_t address;
  uint64_t requested; /* bytes asked for */
  uint64_t size;      /* bytes scanned */
};

struct heaprake_snapshot_edge {
  uint64_t from;   /* index of a block record */
  uint64_t to;     /* index of a block record */
  uint64_t offset; /* of the word, in the block `from` */
};

#endif
