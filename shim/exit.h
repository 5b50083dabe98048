// What is printed and written when the process ends.
#pragma once

namespace heaprake::shim {

// Once, at start: our handler is to run after the program's and after every destructor. It writes
// the summary (option stats) and the snapshot (option snapshot, mode hunt), once, and only in the
// process that the library belongs to; so do _exit and quick_exit.
void register_exit_handlers();

}  // namespace heaprake::shim
