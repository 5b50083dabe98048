// From a return address to the rule and the module of its code: what the tables say, read once.
//
// A bucket is a cache line of four entries of two words. Any thread may write any entry at any
// time, with plain stores: an entry is good only if both words belong to the same address, of which
// the first holds all and the second twelve bits of a hash.
#pragma once

#include <cstdint>

#include "platform/platform.h"
#include "platform/unwind_rule.h"

namespace heaprake::platform {

struct CodePlace {
  UnwindRule rule;
  uint64_t frame = 0;  // as unwind.h describes it
};

// Once. false: memory is out; every place is then kUnknown.
bool start_rule_cache();
// What is to be known of the code that made the call which returns to `pc`.
CodePlace place_of(uintptr_t pc);
void forget_rules();
uint32_t rule_generation();

}  // namespace heaprake::platform
