#include "shim/fork.h"

#include <pthread.h>

#include "allocator/heap.h"
#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/export.h"
#include "shim/interposed.h"
#include "shim/threads.h"

HEAPRAKE_NEXT(pid_t(), _Fork);

namespace heaprake::shim {
namespace {

int home = 0;
bool forked = false;

// Taking the collector's lock waits for a running collection and its sweep, so that the copy that
// the child gets is whole.
void prepare() {
  close_thread_gate();
  collector::before_fork();
  heap::before_fork();
}

void parent() {
  heap::after_fork_in_parent();
  collector::after_fork_in_parent();
  open_thread_gate();
}

// From the bottom up: each room may rely on those below it.
void child() {
  forget_threads_being_made();
  platform::reset_threads_after_fork();
  reset_interposition_after_fork();
  heap::reset_after_fork();
  collector::after_fork_in_child();
  home = platform::process_id();
  forked = true;
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
// locks are held with signals blocked, so that none of them belongs to what was interrupted.
HEAPRAKE_EXPORT pid_t _Fork() noexcept {
  prepare();
  const pid_t result = heaprake_next__Fork();
  result == 0 ? child() : parent();
  return result;
}

}  // namespace heaprake::shim
