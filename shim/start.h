// Start-up in two steps, each idempotent, each from any thread.
//
//   start_heap (first_use.h)   at the first allocation: options, heap, misuse handler
//   start_process              in our constructor, or when another constructor uses the API before
//   it:
//                              threads, collector, fork and exit handlers
#pragma once

namespace heaprake::shim {

void start_process();

}  // namespace heaprake::shim
