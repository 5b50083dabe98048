// Which references of a whole snapshot are words of weak_ptrs, and so keep no object alive. Debug
// information says it of a field, a function's name of a container's elements. Else the control
// block's counts do, where they leave no choice; and what is weak, or is not, in one object of a
// kind is so in the others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/analysis/names.h"

namespace heaprake::cli {

class WeakWords {
 public:
  explicit WeakWords(const Names& names);

  bool any() const { return any_; }
  // Either of a pointer's two words; references by their places in the snapshot's lists.
  bool edge(uint64_t index) const { return any_ && edges_[index]; }
  bool root(size_t index) const { return any_ && roots_[index]; }

 private:
  class Search;
  bool any_ = false;
  std::vector<bool> edges_, roots_;
};

// What a container of the library has for elements, by a member function of it: weak_ptrs, if its
// name says so and says nothing of shared_ptrs, or the other way round.
SmartPointer elements_by_call(const std::string& function);

}  // namespace heaprake::cli
