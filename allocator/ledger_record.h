// The ledger as the rest of the room sees it: writing entries.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/heap.h"

namespace heaprake::heap::ledger {

inline constexpr size_t kEntryBytes = 8;

// Once, before the first block. false: memory is out.
bool start(const Config& config);

// Writes the entry of the block [p, p + bytes), of which `asked` bytes were asked for, with the
// call stack of whoever called into the library. Before the block's byte is published.
void enter(uintptr_t p, size_t bytes, size_t asked);

// The same of a recorded block, without the rest of its entry.
size_t requested(const Block& block);

void thread_ended();
void reset_after_fork();

}  // namespace heaprake::heap::ledger
