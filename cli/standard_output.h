// What the subcommands print goes to the standard output, which may be a full disk.
#pragma once

namespace heaprake::cli {

// Before anything is printed: from then on stdio's stdout remembers why something could not be
// written, so that whoever prints need not ask.
void watch_standard_output();

// At the end: writes what is still in stdio's buffer. Throws a Failure (kExitFailure) if anything
// that was printed could not be written. A reader that has gone away has seen enough: no failure.
void finish_standard_output();

}  // namespace heaprake::cli
