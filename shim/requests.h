// What `heaprake collect PID` and its like ask for (heaprake/protocol.h).
#pragma once

#include <cstdint>

namespace heaprake::shim {

// platform's request handler: on the interrupted thread, in a signal handler, all signals blocked.
void on_request(uint64_t cookie, const void* ucontext, bool may_free);

}  // namespace heaprake::shim
