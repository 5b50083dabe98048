// The stop signal: how a thread that is running learns that it must stand still.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heaprake::platform {

enum class Sent { kYes, kNoSuchThread, kRefused };

// Queues the signal of stop `generation` to a thread of this process. kRefused: the user's limit of
// queued signals (RLIMIT_SIGPENDING) is reached, or a filter forbids it.
Sent send_stop_signal(int process, int tid, uint32_t generation);

// Where that was refused: sends the signal to the process, for which the kernel has no limit, but
// keeps no value either. It reaches one thread that does not stand still in the handler yet, maybe
// one in a region; so it is to be sent again after each answer. false: a filter forbids it.
bool send_undirected_stop_signal(int process, uint32_t generation);
// From now on that fails: the program's seccomp filter would end it for such a call.
void forbid_undirected_stop_signals();

// Whether every handler in the kernel's table is one of the trusted entries, libc's own for its two
// internal signals, or ours. Any other could run the program's code in a thread that counts as
// safe. Once false, false for good: such a handler may have left by longjmp.
bool handlers_are_trusted();
// The same without looking, so as far as is known.
bool handlers_seem_trusted();

// What a signal takes of the stack that it is handled on, if its handler is like ours. Slow.
size_t bytes_for_handler();

// A thread has an alternate stack of `bytes`. Should it be too small for our handler, the handler
// uses no alternate stack from now on, in any thread: the signal would kill the program, which may
// have survived so far by never receiving one there.
void allow_for_alternate_stack(size_t bytes);

}  // namespace heaprake::platform
