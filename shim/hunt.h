// Mode hunt: when memory is examined, and where the result goes.
//
//   at the end        once: exit, _exit, quick_exit, a deadly signal, __lsan_do_leak_check
//   while it runs     any number: option on_signal, __lsan_do_recoverable_leak_check
// (and whenever the command asks: requests.h).
#pragma once

#include "collector/collector.h"
#include "platform/platform.h"

namespace heaprake::shim {

// Once, at start, before the program's own code runs.
void start_hunt();

// In the child of a fork.
void note_forked_process();

// What the program says in LeakSanitizer's ways (__lsan_default_suppressions,
// __lsan_default_options) becomes part of the plan.
void add_programs_words(collector::SnapshotPlan* plan);

// The program has said that it wants no leak checks. Calls into the program.
bool leak_checks_are_off();

// The last look at memory: writes the snapshot, or one line if there is no place for one. Without
// `examine` only that it was not wanted.
void examine_finally(const platform::StoppedThread& self, bool examine);

// A look while the program runs on. `outcome` says what is lost, unless it was left to a copy of
// the process (`wait` false).
collector::Outcome examine_meanwhile(const platform::StoppedThread& self, bool wait);

}  // namespace heaprake::shim
