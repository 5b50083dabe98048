// What lies behind the functions that this library stands in front of: a row for each, with the
// next definition of its name in the dynamic loader's order (libc's, or another preloaded
// library's). Rows come from interposed.def and blocking_calls.def; interposed.S lays them out.
//
// A slot `next` holds a stub at first, which looks the name up when it is called: other libraries'
// constructors run before ours. start_interposition() fills all slots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace heaprake::shim {

enum Timeout : int8_t { NONE, MILLISECONDS, TIMESPEC, RECEIVE, SEND, CONNECT };

// Where a call's bytes are, in which a message may carry addresses (blocking_messages.cpp).
enum Carries : int8_t { NOTHING, BYTES, PIECES, MESSAGE, MESSAGES, QUEUE, SYSTEM_V, INFO };

struct Row {
  const char* name;
  const char* version;  // nullptr: dlsym's own choice
  void* next;           // atomic; changes from the stub to the function, once
  void* entry;          // where the exported name jumps to: `direct`, later perhaps `region`
  void* direct;         // jumps to `next`
  void* region;         // the same inside a safe region; nullptr for rows of interposed.def
  Timeout timeout;
  int8_t limit;    // the argument that `timeout` speaks of
  int8_t count;    // the argument that counts a transfer's bytes; 0: not a transfer
  int8_t waitall;  // 1: a transfer only if argument 3 has MSG_WAITALL
  Carries carries;
  int8_t unused[3];
};
static_assert(sizeof(Row) == 56, "interposed.S lays rows out");
static_assert(offsetof(Row, next) == 16 && offsetof(Row, entry) == 24, "interposed.S knows these");

// Once, from the library's constructor, before another thread can run. `regions`: make blocking
// calls inside safe regions from now on; otherwise they only pass through.
void start_interposition(bool regions);
// In a forked child, before anything else runs there.
void reset_interposition_after_fork();

// fn(args[0], ... args[5]) inside a safe region.
extern "C" long heaprake_call_in_region(const void* fn, const long* args);

}  // namespace heaprake::shim

// Declares heaprake_next_<name>: the function behind a row, callable at any time.
#define HEAPRAKE_NEXT(type, name) \
  extern "C" __attribute__((visibility("hidden"))) std::add_pointer_t<type> heaprake_next_##name
