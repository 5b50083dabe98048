// Signals in mode hunt. Where the program leaves a signal that ends the process to its default
// action, a handler of ours stands in for it, so that memory can be examined before the end; and a
// signal may ask for a snapshot (option on_signal). The program sees none of it: who asks for the
// disposition is told SIG_DFL, and what it executes finds the default.
#pragma once

#include <csignal>

#include "platform/platform.h"

namespace heaprake::shim {

// Once, in mode hunt, before the program can install handlers.
void start_hunt_signals();

// What the kernel is to be given in the place of SIG_DFL: SIG_DFL itself, mostly.
sighandler_t stand_in_for(int signal);
// Whether a handler stands in for SIG_DFL.
bool is_stand_in(sighandler_t handler);

// Before any handler runs that the kernel has called with `ucontext`, outside of safe regions.
void before_handler(int signal, const void* ucontext);

}  // namespace heaprake::shim
