// fork in a threaded program: the child has one thread and a copy of everything.
#pragma once

namespace heaprake::shim {

// Once, at start. Registered before the program can register its own, so that ours prepare last and
// come back first: its handlers may allocate.
void register_fork_handlers();

// The process that this library runs in, as last set at start or in a forked child. Differs from
// platform::process_id() in a vfork child, which shares our memory and must change nothing.
int home_process();
// True in a process that was forked, not executed.
bool was_forked();

}  // namespace heaprake::shim
