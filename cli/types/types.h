// What the blocks of a snapshot are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/progress.h"
#include "cli/snapshot/snapshot.h"
#include "cli/symbols/module_files.h"
#include "cli/types/control_block.h"

namespace heaprake::cli {

enum class TypeSource : uint8_t {
  kNone,
  kVtable,        // its first word is a vtable's address point
  kControlBlock,  // a shared_ptr's control block says so: the one in the block, or one elsewhere
  kName,          // the program said so (gc::make)
  kCode,          // a coroutine's frame: its first words are the functions that go on with it
  kStack,         // another block of that allocation stack and size is one
};
const char* name_of(TypeSource source);  // as Member::type_source has it

struct Type {
  std::string name;       // short, for people; "" for number 0: unknown
  std::string full_name;  // as demangled: by which debug information knows the object
  // The block is, or begins with, a control block.
  std::optional<ControlBlock> control;
  uint32_t module = UINT32_MAX;  // whose vtable it was
  // Where base classes begin in the object, but for the start; ascending.
  std::vector<uint32_t> bases = {};
  // A frame into which the compiler has put its own address.
  bool holds_itself = false;
  // One that is told by its functions, of which not even the names are known.
  bool nameless_code = false;
  // Where the object of that name lies in the block; UINT32_MAX if that is not known, since an
  // allocator of unknown size lies before it.
  uint32_t object_offset() const {
    if (!control || !control->inplace) return 0;
    return control->has_allocator ? UINT32_MAX : control->offset;
  }
};

// Whether a block's first word may be what new[] puts there: the number of elements behind it.
bool is_array_count(uint64_t word, uint64_t requested);

struct Types {
  std::vector<Type> all;            // [0] is the unknown one
  std::vector<uint32_t> of;         // of each block
  std::vector<TypeSource> sources;  // of each block

  const Type& type(uint32_t block) const { return all[of[block]]; }
  const std::string& name(uint32_t block) const { return all[of[block]].name; }
};

Types find_types(const Snapshot& snapshot, const Progress& progress = {},
                 SharedFiles files = nullptr);

}  // namespace heaprake::cli
