// Allocation stacks that mean the same to a person: the same lines call one another. Where lines
// are not known, the same instruction of the program allocates, reached through the same functions:
// where in these the calls stand does not count then, since a compiler that unrolls a loop makes
// several of one, and reports list them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cli/snapshot/snapshot.h"
#include "cli/symbols/module_files.h"

namespace heaprake::cli {

// libc's, libstdc++'s and the loader's file, which allocate for their callers: strdup, getline.
bool is_system_module(std::string_view path);

// The snapshot must outlive it.
class Sites {
 public:
  Sites(const Snapshot& snapshot, SharedFiles files);

  // The same number for stacks that mean the same; 0 for stack 0.
  uint32_t of(uint32_t stack);

 private:
  // Where the function that contains the call begins; the place itself if that is not known.
  uint64_t function_of(const Pc& pc);
  bool is_system(const Pc& pc);
  // The same number for calls from the same line, by way of the same inlined ones; else the place.
  uint64_t line_of(const Pc& pc);
  uint64_t find_line(const Pc& pc);

  const Snapshot& snapshot_;
  const SharedFiles files_;
  std::vector<bool> system_;  // modules
  std::vector<uint32_t> of_;  // of each stack, kUnknown: not asked yet
  std::map<std::vector<uint64_t>, uint32_t> numbers_;
  std::map<std::string, uint64_t> lines_;  // numbers for line_of
  // What line_of and function_of have said, of modules: by offset.
  std::vector<std::unordered_map<uint64_t, uint64_t>> line_numbers_, functions_;
};

}  // namespace heaprake::cli
