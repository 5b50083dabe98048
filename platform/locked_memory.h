// What mlockall(2) means for memory of ours.
#pragma once

#include <cstddef>

namespace heaprake::platform::locked_memory {

// Pages have just been committed: locks them if the program has asked for that of all its future
// memory.
void note_commit(void* p, size_t bytes);
// A reservation has just been made: takes back the lock that the kernel may have given it.
void note_reservation(void* p, size_t bytes);
// The program's seccomp filter would end it for mlock2: what is committed from now on is not
// locked.
void forbid();
void reset_after_fork();  // in the child, which inherits no locks

}  // namespace heaprake::platform::locked_memory
