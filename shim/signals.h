// The program's signal handlers, each entered through an entry of signals.S.
#pragma once

namespace heaprake::shim {

// Once, before the collector starts: declares the entries to the platform room.
void start_signals();

// Where the signal's disposition is the default, lets the handler of hunt_signals.h stand in for
// it.
void stand_in_if_default(int signal);

}  // namespace heaprake::shim
