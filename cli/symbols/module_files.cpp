#include "cli/symbols/module_files.h"

namespace heaprake::cli {

ModuleFiles::ModuleFiles(const Snapshot& snapshot)
    : snapshot_(snapshot), entries_(snapshot.modules.size()) {}

const ElfImage* ModuleFiles::image(uint32_t module) {
  if (module >= entries_.size()) return nullptr;
  Entry& entry = entries_[module];
  if (entry.image_tried) return entry.image.get();
  entry.image_tried = true;
  const Module& known = snapshot_.modules[module];
  auto image = std::make_unique<ElfImage>(known.path);
  if (known.build_id.empty() || known.build_id == image->build_id()) entry.image = std::move(image);
  return entry.image.get();
}

ModuleFile* ModuleFiles::names(uint32_t module) {
  if (module >= entries_.size()) return nullptr;
  Entry& entry = entries_[module];
  if (!entry.names_tried) {
    entry.names_tried = true;
    entry.names = open_names(snapshot_.modules[module]);
  }
  return entry.names.get();
}

std::unique_ptr<ModuleFile> ModuleFiles::open_names(const Module& module) {
  if (module.path.empty() || module.path[0] != '/') return nullptr;
  auto file = std::make_unique<ModuleFile>(module.path);
  if (!file->error().empty()) {
    notes_.push_back("no names for what is in " + module.path + ": " + file->error());
    return nullptr;
  }
  if (!module.build_id.empty() && file->build_id() != module.build_id) {
    notes_.push_back("no names for what is in " + module.path +
                     ": it is another file than the one that the program loaded (the build ids "
                     "differ)");
    return nullptr;
  }
  return file;
}

}  // namespace heaprake::cli
