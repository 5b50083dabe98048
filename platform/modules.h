// The program and its libraries, as far as somebody asked about an address of theirs.
//
// A module, once in the table, stays there under its number, so that what was said of its code
// while it was loaded can still be read when it is not. A file that is loaded again at the same
// place has the same number; another one at that place gets a new one.
#pragma once

#include <cstdint>

#include "platform/eh_frame.h"
#include "platform/platform.h"

namespace heaprake::platform {

inline constexpr size_t kMaxModules = 8191;
inline constexpr size_t kMaxBuildId = 32;

struct Module {
  uintptr_t base = 0;  // what its file's addresses have been moved by
  Range image;         // from its first to its last mapping
  uint8_t build_id_length = 0;
  uint8_t build_id[kMaxBuildId] = {};
  const char* path = "";  // absolute where that could be found out; never moves
};

// What the loader says of the code at an address; lock-free, safe in any handler.
struct LoadedModule {
  uintptr_t base = 0;
  const char* name = nullptr;  // as the loader has it: empty for the program itself
  UnwindTables tables;
};
bool find_loaded(uintptr_t address, LoadedModule* module);

// The number of a module, from 1 on, entered into the table if need be; 0 if the table is full.
// Rare: takes a lock, with signals blocked.
size_t module_number(const LoadedModule& module);
// How many there are, and the one with a number from 1 to that. Lock-free.
size_t module_count();
const Module& module_at(size_t number);
// Whether its code is there now.
bool is_loaded(const Module& module);

void reset_modules_after_fork();

}  // namespace heaprake::platform
