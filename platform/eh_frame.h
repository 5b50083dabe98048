// .eh_frame, the unwind tables that every module carries for C++'s exceptions, whatever language
// and options it was compiled with.
#pragma once

#include <cstdint>

#include "platform/platform.h"
#include "platform/unwind_rule.h"

namespace heaprake::platform {

// Where a module's tables are.
struct UnwindTables {
  Range image;                     // the module's mappings, from the first to the last
  const uint8_t* index = nullptr;  // PT_GNU_EH_FRAME: .eh_frame_hdr
};

// The rule for the code address `at`, found through the index's sorted table: kUnknown where there
// is none. Reads the tables only; any thread, any time while the module is loaded.
UnwindRule rule_from_tables(const UnwindTables& tables, uintptr_t at);

}  // namespace heaprake::platform
