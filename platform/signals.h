// The program's signals and their handlers: a part of the contract (platform.h), under the same
// terms.
#pragma once

#include "platform/function_ref.h"
#include "platform/locks.h"

namespace heaprake::platform {

// Whether the signal's handler was installed with SA_SIGINFO: only then does the kernel write what
// the handler's second argument points to.
bool handler_takes_info(int signal);

// First of all in a handler of the program's, with what the kernel passed to it: if a system call
// was about to be made again only because the stop signal's handler came before this one, it
// returns EINTR instead, as it would have without us.
void let_handler_interrupt(int signal, void* ucontext);

// Signals for the process go to its main thread, unless that blocks them. Where it cannot run a
// handler of the program's, because the world stands still or it collects, it takes those signals
// nevertheless that it does not block itself, and sends them to itself again when it can.
//
// Called before the kernel learns of a new action for a signal. Where the main thread takes that
// signal just now, waits until it has sent it to itself again, and some milliseconds at most until
// its handler has begun, unless the new handler is as good.
enum class NewAction {
  kPlainHandler,    // one of the trusted entries
  kSpecialHandler,  // that serves once (SA_RESETHAND), or may interrupt itself (SA_NODEFER, its own
                    // signal not in sa_mask), or is no trusted entry: the signal is not taken any
                    // more
  kNoHandler        // default, or ignored
};
void note_action(int signal, NewAction action);
// Called when the process has its first other thread. Before that nothing is taken.
void note_first_thread();
bool has_had_threads();
// Called first of all in a handler of the program's, with what the kernel passed to it. true: it
// must not do anything now but return, and will be called again.
bool defer_signal(int signal, const void* info, void* ucontext);
// Runs work() with all signals blocked but those that are taken meanwhile, if this is the main
// thread; `programs` is what the program itself blocks. Called with all signals blocked and the
// lock of collections held, on run_on_own_stack's stack, where nothing of the program's runs
// meanwhile, nor is anything waited for that the program may hold.
void run_deferring(SignalMask programs, FunctionRef<void()> work);
// Called with all signals blocked, before only those of `programs` are: waits some milliseconds at
// most while one is there that the calling thread would take then, and the main thread, which may
// not have got a processor yet, shall have.
void leave_signals_to_main(SignalMask programs);

}  // namespace heaprake::platform
