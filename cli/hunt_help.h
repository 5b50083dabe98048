// What `heaprake hunt --help` says.
#pragma once

namespace heaprake::cli {

inline constexpr char kHuntHelp[] =
    R"(Runs PROGRAM with nothing collected, and reports at its end what it could no longer reach: each lost
structure with its members and their types, the references between them, what closes a cycle, where
and when it was allocated. The report goes to stderr or to the files asked for, never to stdout;
files that exist are kept unless --force is given. PROGRAM's streams are its own; signals sent to
this command are passed on to it, all but SIGKILL and SIGSTOP, as long as it runs.

PROGRAM's memory is examined when main returns, on exit, _exit, _Exit and quick_exit with any
status, and when SIGTERM, SIGINT or SIGHUP kills it. It cannot be examined when another signal does
(abort is one too), when it ends by a system call of its own (syscall(SYS_exit_group, ...)), or when
it has taken a root directory from which the temporary directory (TMPDIR, else /tmp) is out of
reach, or, unless hunted by root, another user. Then the report says "incomplete", its JSON has
"complete": false, and the exit status is PROGRAM's own. The end of a program that goes on in the
background (a daemon) is not waited for: have it stay in the foreground. If PROGRAM becomes another
one (exec), the report is about that one; if heaprake cannot reach that one (static, or without
LD_PRELOAD in the environment), it is "incomplete".

Structures are one finding if what is lost is of the same type, or a cycle of the same types, and
the allocation stacks go through the same lines, and the same goes for what it alone leads to, but
for its parts: short and long texts, maps of any length ("not all alike" says how many have what).
Without line numbers they are if the same instruction of PROGRAM allocates, called by the same
functions: where in these the calls stand is listed then ("others by way of"). A baseline knows a
finding by its names and its lines, and where lines have moved as many as it has with those names;
one more is new, but not one that is lost more often. docs/report_json.md says what the JSON has in
it; its 2,000 worst findings are there unless --top=0 asks for all, which a baseline must have.

What is still held, but perhaps only by accident, is listed apart and is no failure: by a reference
into the middle of a block where no idiom of C++ explains it, or by what a function left on the
stack when it returned. (Not where more than 500,000 blocks exist, unless --save or --snapshot_all=1
asks for all of them.)

With --every, --start-after and --on-signal the running program is looked at meanwhile: each check
tells in full what earlier ones have not. Nothing happens in the program between checks; during one
it stands still while its memory is copied. `heaprake report PID` does the same from elsewhere.

Where no option here says otherwise, these of LeakSanitizer's are taken from PROGRAM's
__lsan_default_options (seen, like __lsan_default_suppressions and __lsan_is_turned_off, if PROGRAM
exports it: linked with -rdynamic) and from LSAN_OPTIONS: exitcode, suppressions, max_leaks (like
--top), print_suppressions, and, for --format=lsan, report_objects.

Other processes that PROGRAM starts have reports of their own, if they have lost something: as text
before PROGRAM's, in the JSON as elements of "processes" (each a report of the same schema), in all
other files with the process id before the suffix, as in lost.4711.html. They change the exit status
only with --count-children; --max-leaks and --baseline are then applied to each process by itself.
What a forked process has inherited is its parent's to report; with --count-children it is told of
the child, too, if that has lost it and the parent has not (unless the fork left other threads
behind, which may have held it). Then, too, a child of which there is no report makes this one
"incomplete", which names it, and changes no exit status: it was killed, ended by a system call of
its own, has not ended yet, or was forked and became a program that heaprake cannot reach (static,
setuid). Such a program is not noticed where vfork or posix_spawn started it, as dash and Python's
subprocess do.

Examples:
  heaprake hunt -- ./parser input.txt                what has it lost?
  heaprake hunt --html lost.html -- ./parser         the same for a browser
  heaprake hunt --every 10m -- ./server              what does it lose while it serves?
  heaprake hunt --every 10m --growth -- ./server     and what grows, and what holds that?
  heaprake hunt --json leaks.json -- ./tests         for a script: .summary.leaked_blocks
  heaprake hunt --baseline main.json -- ./tests      fail only for what main does not lose
  heaprake hunt --exit-code=0 -- ./tests             report, but do not fail

Exit status: the program's own, 128+signal if it was killed; 23 (or --exit-code) if it ended with 0
and has lost more than --max-leaks structures, those not counted that are suppressed or in the
baseline; 2 for a wrong command line, or a file that exists; 126 if the program cannot be run, or
not under heaprake; 127 if there is none; 1 if libheaprake.so is not found, or a report could not be
written.
)";

}  // namespace heaprake::cli
