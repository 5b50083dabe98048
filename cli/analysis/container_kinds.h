// Which of those containers one is whose words look alike: a map or a set. Told by debug
// information of the object that it stands in, else by the names of the functions that allocated a
// node.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cli/analysis/containers.h"
#include "cli/symbols/module_files.h"
#include "cli/types/fields.h"
#include "cli/types/types.h"

namespace heaprake::cli {

// What a function's name tells of the container that it works on.
struct LibraryCall {
  bool library = false;            // it is the library's
  std::string kind;                // "std::multiset", a member of which it is; "" if of none
  std::optional<bool> has_values;  // besides keys: it is a map's
};
LibraryCall library_call(std::string_view function);
// By the calls that have allocated a node, innermost first; "" if they do not tell.
std::string kind_by_calls(const std::vector<std::string>& functions);

class ContainerKinds {
 public:
  // All of these must outlive it.
  ContainerKinds(const Snapshot& snapshot, const Types& types, Fields& fields, SharedFiles files);

  // The container's own where nothing more is known.
  std::string of(const Container& container);

 private:
  const std::string& by_stack(uint32_t stack);

  const Snapshot& snapshot_;
  const Types& types_;
  Fields& fields_;
  const SharedFiles files_;
  std::unordered_map<uint32_t, std::string> of_stack_;
};

}  // namespace heaprake::cli
