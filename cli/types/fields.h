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

// What debug information says of a word: which of the smart pointers it is a word of, or that it is
// a plain pointer of the program's.
enum class SmartPointer : uint8_t { kUnknown, kShared, kWeak, kPlain };

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
  // "std::multiset" if a place is in a tree's or hash table's own words; "" if that is not known.
  const std::string& container_at(const Type& type, uint64_t offset);
  // Of a class that debug information of a module knows by its full name; 0 if it does not.
  uint64_t size_of(uint32_t module, const std::string& full_name);
  // What lies there, enable_shared_from_this's weak_ptr included.
  SmartPointer pointer_at(const Type& type, uint64_t offset);

 private:
  struct Classes;  // of one module
  struct Field {
    std::string path;
    SmartPointer pointer = SmartPointer::kUnknown;
    std::string container;
  };
  Classes* classes(uint32_t module);
  const Field& find(const Type& type, uint64_t offset);

  const SharedFiles files_;
  std::unordered_map<uint32_t, std::unique_ptr<Classes>> modules_;
  std::unordered_map<std::string, Field> known_;
};

}  // namespace heaprake::cli
