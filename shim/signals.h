// The program's signal handlers, each entered through an entry of signals.S.
#pragma once

namespace heaprake::shim {

// Once, before the collector starts: declares the entries to the platform room.
void start_signals();

}  // namespace heaprake::shim
