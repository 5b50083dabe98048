// Call stacks, each kept once and for ever under a number.
//
//   buckets   number of the first stack with that hash, or 0
//   stacks    by number: where its frames are, how many, the next one in its bucket
//   frames    one stack's after the other's
//
// All three only grow, without locks: a handler may interrupt an insertion, a fork may cut one off
// (its number then stays without frames), and two threads that insert the same stack at once may
// both succeed, which wastes a number.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heaprake::heap::ledger {

bool start_stacks();
// The number of the stack, 0 when no more can be kept.
uint32_t number_of_stack(const uint64_t* frames, size_t count);

}  // namespace heaprake::heap::ledger
