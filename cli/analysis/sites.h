// Allocation stacks that mean the same to a person: the same line allocates (the same instruction,
// where lines are not known), reached through the same functions. Where in these the calls stand
// does not count, since a compiler that unrolls a loop makes several of one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/snapshot/snapshot.h"
#include "cli/symbols/module_file.h"
#include "cli/types/elf_image.h"

namespace heaprake::cli {

class Sites {
 public:
  explicit Sites(const Snapshot& snapshot);  // which must outlive it

  // The same number for stacks that mean the same; 0 for stack 0.
  uint32_t of(uint32_t stack);

 private:
  // Where the function that contains the call begins; the place itself if that is not known.
  uint64_t function_of(const Pc& pc);
  // The same number for calls from the same line, by way of the same inlined ones; else the place.
  uint64_t line_of(const Pc& pc);
  // The module is the one that was loaded.
  bool is_right(size_t module);

  const Snapshot& snapshot_;
  std::vector<std::unique_ptr<ElfImage>> images_;  // of modules; null: not opened yet
  std::vector<uint32_t> of_;                       // of each stack, kUnknown: not asked yet
  std::map<std::vector<uint64_t>, uint32_t> numbers_;
  std::vector<std::unique_ptr<ModuleFile>> files_;  // of modules; null: not opened yet
  std::map<std::string, uint64_t> lines_;           // numbers for line_of
  std::vector<std::unordered_map<uint64_t, uint64_t>> functions_;  // of modules: by offset
};

}  // namespace heaprake::cli
