#include "cli/analysis/sites.h"

#include <algorithm>
#include <array>

namespace heaprake::cli {

bool is_system_module(std::string_view path) {
  static constexpr std::array<std::string_view, 6> kFiles = {
      "libc.so", "libc-2.", "libstdc++.so", "libc++.so", "ld-linux-x86-64.so", "libpthread"};
  const std::string_view file = path.substr(path.rfind('/') + 1);
  return std::any_of(kFiles.begin(), kFiles.end(),
                     [&](std::string_view start) { return file.starts_with(start); });
}

namespace {

constexpr uint32_t kUnknown = UINT32_MAX;
// Numbers for lines are not offsets in any module.
constexpr uint64_t kLines = uint64_t{1} << 63;

}  // namespace

Sites::Sites(const Snapshot& snapshot, SharedFiles files)
    : snapshot_(snapshot),
      files_(or_own(std::move(files), snapshot)),
      of_(snapshot.stack_first.empty() ? 1 : snapshot.stack_first.size() - 1, kUnknown),
      line_numbers_(snapshot.modules.size()),
      functions_(snapshot.modules.size()) {
  of_[0] = 0;
  for (const Module& module : snapshot.modules) system_.push_back(is_system_module(module.path));
}

uint64_t Sites::line_of(const Pc& pc) {
  if (pc.module < 0) return pc.offset;
  const auto [known, fresh] =
      line_numbers_[static_cast<size_t>(pc.module)].try_emplace(pc.offset, pc.offset);
  if (fresh) known->second = find_line(pc);
  return known->second;
}

uint64_t Sites::find_line(const Pc& pc) {
  ModuleFile* file = files_->names(static_cast<uint32_t>(pc.module));
  if (!file) return pc.offset;
  std::string key;
  for (const SourcePlace& place : file->places(pc.offset - 1)) {
    if (place.line == 0) return pc.offset;
    key += place.function + '\n' + place.file + '\n' + std::to_string(place.line) + '\n';
  }
  if (key.empty()) return pc.offset;
  return lines_.try_emplace(std::move(key), kLines + lines_.size()).first->second;
}

bool Sites::is_system(const Pc& pc) {
  return pc.module >= 0 && system_[static_cast<size_t>(pc.module)];
}

uint64_t Sites::function_of(const Pc& pc) {
  const auto module = static_cast<uint32_t>(pc.module);
  const auto [known, fresh] = functions_[module].try_emplace(pc.offset, pc.offset);
  if (!fresh) return known->second;
  const ElfImage* image = files_->image(module);
  if (!image) return pc.offset;
  // The call ends just before the return address.
  if (const auto start = image->function_start(pc.offset - 1)) known->second = *start;
  return known->second;
}

uint32_t Sites::of(uint32_t stack) {
  if (of_[stack] != kUnknown) return of_[stack];
  std::vector<uint64_t> key;
  bool program_seen = false;
  for (const Pc& pc : snapshot_.stack_of(stack)) {
    key.push_back(static_cast<uint64_t>(pc.module + 1));
    const uint64_t line = line_of(pc);
    const bool place_counts = !program_seen || line >= kLines || pc.module < 0;
    key.push_back(place_counts ? line : function_of(pc));
    program_seen = program_seen || !is_system(pc);
  }
  const auto next = static_cast<uint32_t>(numbers_.size()) + 1;
  return of_[stack] = numbers_.try_emplace(std::move(key), next).first->second;
}

}  // namespace heaprake::cli
