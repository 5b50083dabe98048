// What happens to a thread's heap when the thread ends: nothing that anybody has to call.
#pragma once

namespace heaprake::heap {

// Whether any thread but the main one ever had a heap.
bool had_threads();
void reset_thread_end_after_fork();

}  // namespace heaprake::heap
