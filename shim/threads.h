// Threads as libc makes them.
#pragma once

namespace heaprake::shim {

// Once at start: whether libc's own stacks can be told apart.
void note_libc_stacks();

// Around fork, on the forking thread: no thread is being made meanwhile. libc frees what hangs on a
// used stack and only then forgets it, so that a child made in between would free it once more.
// Waits for a bounded time only, since what is under way may wait for the forking thread.
void close_thread_gate();
void open_thread_gate();
void forget_threads_being_made();  // in the child

}  // namespace heaprake::shim
