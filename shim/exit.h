// What is printed and written when the process ends.
#pragma once

#include "platform/platform.h"

namespace heaprake::shim {

// Once, at start: our handler is to run after the program's and after every destructor. It writes
// the summary (option stats) and the snapshot (option snapshot, mode hunt), once, and only in the
// process that the library belongs to; so do _exit and quick_exit.
void register_exit_handlers();

// The same report, before the end: the caller's frames are alive, and there is none at the end.
void report_early();
// In the handler of a signal that ends the process: the report, if there has been none.
void report_when_killed(const platform::StoppedThread& self);

}  // namespace heaprake::shim
