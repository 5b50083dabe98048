/* How `heaprake collect PID` and its like talk with a running program. Nothing listens in the
 * program: the command opens an abstract Unix stream socket named "heaprake-" + 12 lower-case hex
 * digits of a random 48-bit nonce, and queues signal 33 to a thread of the program with
 * rt_tgsigqueueinfo, si_code SI_QUEUE and sival_ptr = HEAPRAKE_COOKIE_TAG << 48 | nonce. The
 * handler connects back, checks that the socket's owner is root or its own user, reads one request,
 * answers, and closes. The program gives up after two seconds of silence; the command waits up to
 * a minute for the answer once the program has connected: a large heap takes its time to mark.
 *
 * A process without our handler would be ended or disturbed by the signal, and one with a seccomp
 * filter might be ended by what the handler does. So a process that may be signalled shows it in
 * /proc/PID/maps: a page of the library's file is there with HEAPRAKE_READY_PERMISSIONS, which no
 * linker or loader gives. */
#ifndef HEAPRAKE_PROTOCOL_H
#define HEAPRAKE_PROTOCOL_H

#include <stdint.h>

#define HEAPRAKE_SIGNAL 33
#define HEAPRAKE_COOKIE_TAG 0x4852ull /* "HR" */
#define HEAPRAKE_SOCKET_PREFIX "heaprake-"
#define HEAPRAKE_READY_PERMISSIONS "-w-p"
#define HEAPRAKE_PROTOCOL_VERSION 2u

enum heaprake_request_kind {
  HEAPRAKE_REQUEST_COLLECT = 1, /* answer: struct heaprake_collected */
  HEAPRAKE_REQUEST_STATS = 2,   /* answer: gc_stats, as long as the program's version knows it */
  HEAPRAKE_REQUEST_OBJECTS = 3, /* answer: struct heaprake_object each */
  HEAPRAKE_REQUEST_SNAPSHOT = 4 /* answer: heaprake/snapshot.h */
};

/* heaprake_request.flags: SNAPSHOT with the reachable blocks too (HEAPRAKE_SNAPSHOT_ALL). */
#define HEAPRAKE_REQUEST_ALL 1u

struct heaprake_request {
  uint32_t version;
  uint32_t kind;
  uint32_t flags;
  uint32_t reserved; /* 0 */
};

enum heaprake_status {
  HEAPRAKE_OK = 0,
  HEAPRAKE_BUSY = 1,    /* the thread was inside a collection; ask again */
  HEAPRAKE_GAVE_UP = 2, /* a thread could not be stopped; nothing was changed */
  HEAPRAKE_UNKNOWN = 3  /* a request or version that this library does not know */
};

/* Every answer begins with this; `length` bytes follow. */
struct heaprake_answer {
  uint32_t version;
  uint32_t status;
  uint64_t length; /* UINT64_MAX: until the end of the stream */
};

struct heaprake_collected {
  uint64_t blocks;
  uint64_t bytes;
  uint32_t pending; /* 1: they will be freed by the program's next allocation */
  uint32_t mode;    /* 0 collect, 1 hunt, 2 oracle, 3 off */
};

struct heaprake_object {
  uint64_t address;
  uint64_t size;
};

#endif
