// What happens to a thread's heap when the thread ends: nothing that anybody has to call.
#pragma once

namespace heaprake::heap {

void reset_thread_end_after_fork();

}  // namespace heaprake::heap
