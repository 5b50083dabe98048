#include "shim/fork.h"

#include <pthread.h>

#include "allocator/heap.h"
#include "allocator/ledger.h"
#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/export.h"
#include "shim/hunt.h"
#include "shim/interposed.h"
#include "shim/options.h"
#include "shim/threads.h"

HEAPRAKE_NEXT(pid_t(), _Fork);

namespace heaprake::shim {
namespace {

int home = 0;
bool forked = false;

// The forks that the calling thread has begun. Handlers of signals, and other libraries' fork
// handlers, may fork within a fork: they find everything held already.
struct Begun {
  int depth;
  bool holds;    // the locks; not in the child of an inner fork, which goes on within the outer one
  bool blocked;  // signals, from the first lock to the last, and `mask` is what was blocked before
  platform::SignalMask mask;
};
constinit thread_local Begun begun{};

// A filter may forbid it.
bool may_block() {
  return !collector::is_barred() && collector::mode() != collector::Mode::kOff;
}

// While locks are taken or given back, so that no handler forks when some are held and others are
// not.
class WithoutHandlers {
 public:
  WithoutHandlers() : blocked_(may_block()) {
    if (blocked_) mask_ = platform::block_signals();
  }
  ~WithoutHandlers() {
    if (blocked_) platform::restore_signals(mask_);
  }
  WithoutHandlers(const WithoutHandlers&) = delete;
  WithoutHandlers& operator=(const WithoutHandlers&) = delete;

 private:
  const bool blocked_;
  platform::SignalMask mask_{};
};

// All the time, unless there are other threads: they would get what comes for the process, and a
// fork takes long.
void block_signals() {
  begun.blocked = may_block() && !platform::has_had_threads();
  if (begun.blocked) begun.mask = platform::block_signals();
}
void unblock_signals() {
  if (begun.blocked) platform::restore_signals(begun.mask);
}

// What a child has lost of what it inherited can be told only then. It opens a file, so only where
// that is asked for, and no filter may end the program for it.
bool is_known_to_be_alone() {
  return settings().inherited && !collector::is_barred() && !platform::has_unknown_filter() &&
         platform::is_alone();
}

// Taking the collector's lock waits for a running collection and its sweep, so that the copy that
// the child gets is whole.
void prepare() {
  if (begun.depth == 0) block_signals();
  const WithoutHandlers locking;
  if (begun.depth == 0) {
    if (is_known_to_be_alone()) heap::ledger::note_alone_at_fork();
    close_thread_gate();
    collector::before_fork();
    heap::before_fork();
    begun.holds = true;
  }
  ++begun.depth;
}

// Whether this was the outermost fork.
bool leave_in_parent() {
  const WithoutHandlers unlocking;
  if (--begun.depth != 0) return false;
  if (begun.holds) {
    begun.holds = false;
    heap::after_fork_in_parent();
    collector::after_fork_in_parent();
    open_thread_gate();
  }
  return true;
}
void parent() {
  if (leave_in_parent()) unblock_signals();
}

// From the bottom up: each room may rely on those below it.
bool leave_in_child() {
  const WithoutHandlers unlocking;
  forget_threads_being_made();
  platform::reset_threads_after_fork();
  reset_interposition_after_fork();
  heap::reset_after_fork();
  collector::after_fork_in_child();
  home = platform::process_id();
  forked = true;
  begun.holds = false;
  return --begun.depth == 0;
}
void child() {
  if (!leave_in_child()) return;
  note_forked_process();
  unblock_signals();
}

}  // namespace

void register_fork_handlers() {
  home = platform::process_id();
  pthread_atfork(prepare, parent, child);
}

int home_process() {
  return home;
}
bool was_forked() {
  return forked;
}

// fork without the handlers, ours included (glibc 2.34). Signal handlers may call it, and fork: our
// locks are taken with signals blocked, so that none of them belongs to what was interrupted,
// unless that is a fork, which holds them all.
HEAPRAKE_EXPORT pid_t _Fork() noexcept {
  prepare();
  const pid_t result = heaprake_next__Fork();
  result == 0 ? child() : parent();
  return result;
}

}  // namespace heaprake::shim
