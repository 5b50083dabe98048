// The heap in a forked child. Blocks of threads that the child does not have stay valid and can be
// freed; the rest of those threads' memory is not used again, since only they could say where they
// were.
#include "allocator/bookkeeping.h"
#include "allocator/heap.h"
#include "allocator/ledger_record.h"
#include "allocator/memory.h"
#include "allocator/mimalloc_host.h"
#include "allocator/retained.h"
#include "allocator/space.h"
#include "allocator/thread_end.h"
#include "allocator/wide.h"

namespace heaprake::heap {

void before_fork() {
  wide::before_fork();
}

void after_fork_in_parent() {
  wide::after_fork_in_parent();
}

void reset_after_fork() {
  wide::reset_after_fork();
  bookkeeping::reset_after_fork();
  retained::reset_after_fork();
  space::reset_after_fork();
  reset_thread_end_after_fork();
  heaprake_mimalloc_after_fork();
  ledger::reset_after_fork();
  // A thread may have been between the two steps of freeing into a page of ours; going over all
  // pages, mimalloc would wait for its second step for ever.
  if (had_threads()) stop_tidying();
}

}  // namespace heaprake::heap
