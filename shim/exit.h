// What is printed and written when the process ends.
#pragma once

namespace heaprake::shim {

// Once, at start: our handler is to run after the program's and after every destructor.
void register_exit_handlers();

// Writes the summary (option stats) and the snapshot (option snapshot, mode hunt). Does so once,
// and only in the process that the library belongs to.
void report_at_exit();

}  // namespace heaprake::shim
