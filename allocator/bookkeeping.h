// Memory for mimalloc's own small tables, one for every thread: from one reservation, so that a
// program with thousands of threads does not leave thousands of mappings behind.
//
// Any thread, under one lock. Zeroed, page-aligned.
#pragma once

#include <cstddef>

namespace heaprake::heap::bookkeeping {

// nullptr when out of memory.
void* allocate(size_t bytes);
// What allocate returned, with the same size, whole.
void release(void* p, size_t bytes);

void before_fork();
void after_fork_in_parent();
void reset_after_fork();

}  // namespace heaprake::heap::bookkeeping
