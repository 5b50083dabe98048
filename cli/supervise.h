// A program as a child that behaves as if it had been started by whoever started us.
#pragma once

#include <sys/types.h>

#include <functional>

#include "cli/launch.h"

namespace heaprake::cli {

struct Ending {
  pid_t pid;
  int wait_status;  // as waitpid tells it
};

// Runs the program and waits for its end. Both are in one process group, so what the terminal sends
// reaches both, and nothing of that is sent again. A signal that a process sends to us (kill PID),
// whichever it is, is passed on, with its value if it has one (sigqueue), and does not end us; so
// is that of a timer or descriptor which was set up before we became this command. When job control
// stops the program we stop too, so that the shell gets its prompt, and both go on together. The
// program sees the signal mask and dispositions that we were given. Throws a Failure if it cannot
// be started. The caller has no other threads and no other children; `started`, called when the
// program runs, may start threads: they get no signals.
Ending supervise(const Launch& launch, const std::function<void(pid_t)>& started = {});

// What the program's ending makes of our own: its exit status, or 128 + the signal that killed it.
int exit_status_of(const Ending& ending);

}  // namespace heaprake::cli
