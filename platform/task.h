// Names of threads.
#pragma once

namespace heaprake::platform {

// Fills in sixteen characters, terminated: what ps calls COMM.
void own_thread_name(char* name);
// The same of any thread of this process; false if there is none with this id (then `name` is left
// alone). True without a name where /proc is not there to be read.
bool thread_name(int tid, char* name);

}  // namespace heaprake::platform
