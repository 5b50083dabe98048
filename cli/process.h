// What /proc tells about a process, and whether heaprake is in it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace heaprake::cli {

// A process id from the command line. Throws a Failure (kExitUsage).
pid_t parse_pid(const std::string& text);

// One file of /proc/PID, whole; `error` is an errno value, 0 if it could be read. Of a process
// whose main thread has ended, that of another thread.
std::string read_proc(pid_t pid, const std::string& file, int* error);

struct ProcessStatus {
  char state = 0;         // 'R', 'S', 'T' (stopped), 'Z' (ended) ...; 0: there is no such process
  pid_t group = 0;        // of threads: the process that this id belongs to
  uid_t user = 0;         // effective
  uint64_t caught = 0;    // bit n - 1: signal n has a handler
  uint64_t resident = 0;  // bytes
  int seccomp = 0;        // SECCOMP_MODE_FILTER: there are filters
  int filters = 0;        // how many; Linux 5.9, before that always 0
};
ProcessStatus status_of(pid_t pid);

// Pure functions of the files' text.
ProcessStatus parse_status(const std::string& text);
bool maps_name_library(const std::string& maps);
bool maps_show_readiness(const std::string& maps);  // heaprake/protocol.h

// Whether libheaprake.so is mapped; false also when that may not be known.
bool runs_under_heaprake(pid_t pid);

// Without empty words at its end.
std::vector<std::string> command_line(pid_t pid);

// What HEAPRAKE_OPTIONS said of the mode when the process was started, or the default; "" if its
// environment may not be read, or the program has written something else over it.
std::string mode_of(pid_t pid);

// Those that were started with this text in HEAPRAKE_OPTIONS and have not ended, as far as their
// environment may be read.
std::vector<pid_t> processes_with_option(const std::string& text);

// The main thread first, unless it has ended.
std::vector<pid_t> threads_of(pid_t pid);

// Every process id in /proc, ascending.
std::vector<pid_t> all_processes();

// Throws a Failure (kExitFailure), one sentence, unless our signal may be sent: the process exists,
// is ours to look at, runs under heaprake, is not stopped, shows that it is ready, and has a
// handler for the signal, whose default action would kill it.
void check_reachable(pid_t pid);

}  // namespace heaprake::cli
