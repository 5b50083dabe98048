// From the address that an object's first word holds to the name of its class: the Itanium C++ ABI
// puts a pointer to the class' typeinfo in front of each vtable, and the name behind that. Both
// have to be there for virtual calls and exceptions to work, so stripping leaves them.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/snapshot/snapshot.h"
#include "cli/symbols/module_files.h"

namespace heaprake::cli {

// One thread at a time; the snapshot must outlive it.
class Vtables {
 public:
  explicit Vtables(const Snapshot& snapshot, SharedFiles files = nullptr);
  Vtables(const Vtables&) = delete;
  Vtables& operator=(const Vtables&) = delete;

  // Whether the word is an address in a module at all. Quick.
  bool may_be_one(uint64_t word) const {
    return word - lowest_ < highest_ - lowest_ && module_at(word) != UINT32_MAX;
  }
  // The demangled name of the class whose objects begin with this word; "" if the word is not what
  // an object's first word is.
  const std::string& class_at(uint64_t word);
  // Where the base classes of such an object begin, but for those at its start; ascending. Virtual
  // ones, and what lies in them, are not among them: their places are the object's.
  std::vector<uint32_t> bases_at(uint64_t word);
  uint32_t module_at(uint64_t address) const;  // UINT32_MAX: in none

 private:
  struct Place {
    uint64_t lo, hi;
    uint32_t module;
  };
  std::string look_up(uint64_t word);

  const Snapshot& snapshot_;
  std::vector<Place> places_;  // by address
  uint64_t lowest_ = 0, highest_ = 0;
  const SharedFiles files_;
  std::unordered_map<uint64_t, std::string> known_;
};

// The name as people write it: default arguments of templates and inline namespaces left out.
std::string short_type(std::string name);

}  // namespace heaprake::cli
