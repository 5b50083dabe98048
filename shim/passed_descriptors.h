// Descriptors that a message passes to another process, or to this one again (SCM_RIGHTS).
#pragma once

#include <sys/socket.h>

namespace heaprake::shim {

// After the message has been sent: tells the collector which descriptors went with it.
void note_passed_descriptors(const msghdr& message);

}  // namespace heaprake::shim
