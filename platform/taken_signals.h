// The signals that the main thread has taken and not sent to itself again yet, in order. All of it
// is for that thread alone, but forget().
#pragma once

#include <signal.h>

#include <cstddef>
#include <cstdint>

#include "platform/sigaction.h"

namespace heaprake::platform {

// Of these the kernel keeps one a number; of the others, real-time signals, each.
inline constexpr int kFirstRealTime = 32;
inline constexpr uint64_t kStandardSignals = signal_bit(kFirstRealTime) - 1;

namespace taken_signals {

// Called in the handlers of the signals themselves, which may interrupt each other. `info`: nullptr
// if the kernel has written none. false: there may be no room for another real-time signal.
bool add(int signal, const siginfo_t* info);
// From here on no real-time signal should be taken.
bool are_nearly_full();
// Also those that could not be sent again.
size_t count();
// With all signals blocked: sends them to the main thread of this process, and returns which have
// been sent. What is refused is kept, and what comes after it for the same signal.
uint64_t send(int process);
// In a forked child: the parent's signals are the parent's.
void forget();

}  // namespace taken_signals
}  // namespace heaprake::platform
