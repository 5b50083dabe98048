// The files of a snapshot's modules, each opened once for all who ask, and only if it is the one
// that the program had loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/snapshot/snapshot.h"
#include "cli/symbols/module_file.h"
#include "cli/types/elf_image.h"

namespace heaprake::cli {

// One thread at a time; files are opened when they are first needed.
class ModuleFiles {
 public:
  explicit ModuleFiles(const Snapshot& snapshot);  // which must outlive it

  // What the loader makes of the file; null if the file is gone or is another one by now.
  const ElfImage* image(uint32_t module);
  // Its names and debug information; null as well if the module is no file (the vdso).
  ModuleFile* names(uint32_t module);
  // Sentences without full stops: why names could not be told, each file once.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Entry {
    bool image_tried = false, names_tried = false;
    std::unique_ptr<ElfImage> image;
    std::unique_ptr<ModuleFile> names;
  };
  std::unique_ptr<ModuleFile> open_names(const Module& module);

  const Snapshot& snapshot_;
  std::vector<Entry> entries_;
  std::vector<std::string> notes_;
};

using SharedFiles = std::shared_ptr<ModuleFiles>;
// For those who are asked without any: theirs alone.
inline SharedFiles or_own(SharedFiles files, const Snapshot& snapshot) {
  return files ? std::move(files) : std::make_shared<ModuleFiles>(snapshot);
}

}  // namespace heaprake::cli
