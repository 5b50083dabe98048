// What the blocks of a snapshot are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/progress.h"
#include "cli/snapshot/snapshot.h"

namespace heaprake::cli {

enum class TypeSource : uint8_t {
  kNone,
  kVtable,        // its first word is a vtable's address point
  kControlBlock,  // a shared_ptr's control block says so
  kName,          // the program said so (gc::make)
  kStack,         // another block of that allocation stack and size is one
};
const char* name_of(TypeSource source);  // as Member::type_source has it

struct Types {
  std::vector<std::string> names;   // [0] is "": unknown
  std::vector<uint32_t> of;         // of each block: number of its name
  std::vector<TypeSource> sources;  // of each block

  const std::string& name(uint32_t block) const { return names[of[block]]; }
};

Types find_types(const Snapshot& snapshot, const Progress& progress = {});

}  // namespace heaprake::cli
