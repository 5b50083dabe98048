#include "cli/types/types.h"

namespace heaprake::cli {

const char* name_of(TypeSource source) {
  switch (source) {
    case TypeSource::kNone:
      return "";
    case TypeSource::kVtable:
      return "vtable";
    case TypeSource::kControlBlock:
      return "control block";
    case TypeSource::kName:
      return "name";
    case TypeSource::kStack:
      return "stack";
  }
  return "";
}

Types find_types(const Snapshot& snapshot, const Progress&) {
  Types types;
  types.names = snapshot.strings;
  types.of.assign(snapshot.blocks(), 0);
  types.sources.assign(snapshot.blocks(), TypeSource::kNone);
  for (uint32_t block = 0; block < snapshot.type.size(); ++block) {
    types.of[block] = snapshot.type[block];
    if (types.of[block] != 0) types.sources[block] = TypeSource::kName;
  }
  return types;
}

}  // namespace heaprake::cli
