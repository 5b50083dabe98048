// What a field of a class is called, from debug information.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "cli/snapshot/snapshot.h"
#include "cli/symbols/module_files.h"
#include "cli/types/types.h"

namespace heaprake::cli {

// One thread at a time; the snapshot must outlive it. A module's debug information is read when it
// is first needed.
class Fields {
 public:
  explicit Fields(const Snapshot& snapshot, SharedFiles files = nullptr);
  ~Fields();
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  // The field at an offset from the object's start, "child_" or "parts_[3].next"; what the C++
  // library's own classes consist of is not told apart. "" if that is not known.
  const std::string& at(const Type& type, uint64_t offset);

 private:
  struct Classes;  // of one module
  Classes* classes(uint32_t module);

  const SharedFiles files_;
  std::unordered_map<uint32_t, std::unique_ptr<Classes>> modules_;
  std::unordered_map<std::string, std::string> known_;
};

}  // namespace heaprake::cli
