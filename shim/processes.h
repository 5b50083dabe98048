// Calls that make processes which share this one's memory: the child of a vfork runs on its
// parent's stack and thread-local storage, so it must touch nothing that says what its parent is
// doing.
#pragma once

namespace heaprake::shim {

// Whether the calling thread has a vfork (or a clone like it) under way, so that this is its child.
bool in_vfork_child();

// In a forked child: it may have been forked by the child of a vfork.
void reset_processes_after_fork();

}  // namespace heaprake::shim
