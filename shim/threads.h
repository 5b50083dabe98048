// Threads as libc makes them.
#pragma once

namespace heaprake::shim {

// Once at start: whether libc's own stacks can be told apart.
void note_libc_stacks();

}  // namespace heaprake::shim
