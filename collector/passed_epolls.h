// Epolls that a message carries: while one is under way nobody need have it open, so that the
// kernel cannot be asked what is registered there. What was when it was sent is kept for good,
// among the words of messages, whose number is bounded.
#pragma once

#include <cstddef>

#include "platform/platform.h"

namespace heaprake::collector {

// Those of `fds` that are epolls, still open. `self` is what the caller holds.
void keep_passed_epolls(const int* fds, size_t count, const platform::StoppedThread& self);

}  // namespace heaprake::collector
