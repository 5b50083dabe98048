// heaprake objects FILE: by type, by allocation site, and the blocks of a type.
#pragma once

#include <cstdint>
#include <string>

namespace heaprake::cli {

struct ObjectsWanted {
  std::string subject;  // a file, or a process to take a snapshot of
  std::string type;     // "": all
  uint64_t top = 20;
  bool json = false;
};

// Prints them to stdout. Throws a Failure.
void list_snapshot_objects(const ObjectsWanted& wanted);

}  // namespace heaprake::cli
