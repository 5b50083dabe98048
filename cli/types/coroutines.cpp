#include "cli/types/coroutines.h"

#include <array>
#include <optional>
#include <string_view>

#include "cli/text.h"

namespace heaprake::cli {

namespace {

// As the demangler of libiberty and that of LLVM write what stands behind a name's dot.
constexpr std::array<std::array<std::string_view, 2>, 2> kMarks = {
    {{" [clone .", "]"}, {" (.", ")"}}};

// "co(int)" of "co(int) [clone .destroy]" and the part "destroy"; nothing if that is not the part.
std::optional<std::string> without_part(std::string_view name, std::string_view part) {
  for (const auto& [before, after] : kMarks) {
    const std::string mark = std::string(before).append(part);
    const size_t at = name.find(mark);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = name.substr(at + mark.size());
    // A compiler's further copies: ".actor.cold", ".destroy.0".
    if (rest.starts_with(after) || rest.starts_with('.')) return std::string(name.substr(0, at));
  }
  return std::nullopt;
}

// GCC's take the frame, a class within the function: "co(co(int)::_Z2coi.Frame*)" is of "co(int)".
std::string function_of(const std::string& name) {
  const size_t frame = name.rfind("::_Z");
  if (frame == std::string::npos || !name.ends_with(".Frame*)")) return name;
  for (size_t at = name.find('('); at < frame; at = name.find('(', at + 1)) {
    const std::string_view inside = std::string_view(name).substr(at + 1, frame - at - 1);
    if (at > 0 && inside.starts_with(std::string_view(name).substr(0, at)))
      return std::string(inside);
  }
  return name;
}

// The functions are made one after the other.
constexpr uint64_t kNear = 64 * 1024;

}  // namespace

Coroutine coroutine_of(const std::string& resume, const std::string& destroy) {
  const std::optional<std::string> name = without_part(destroy, "destroy");
  if (!name) return {};
  const bool gccs = resume.empty() || without_part(resume, "actor") == name;
  if (!gccs && without_part(resume, "resume") != name) return {};
  return {gccs ? Coroutine::Kind::kGccs : Coroutine::Kind::kClangs,
          "coroutine frame of " + function_of(*name)};
}

Coroutines::Coroutines(const Snapshot& snapshot, SharedFiles files)
    : snapshot_(snapshot), files_(or_own(std::move(files), snapshot)) {}

const Coroutine& Coroutines::with(uint64_t resume, uint64_t destroy) {
  const auto [known, fresh] = known_.try_emplace({resume, destroy});
  if (fresh) known->second = look_up(resume, destroy);
  return known->second;
}

Coroutine Coroutines::look_up(uint64_t resume, uint64_t destroy) const {
  for (uint32_t i = 0; i < snapshot_.modules.size(); ++i) {
    const Module& module = snapshot_.modules[i];
    const auto inside = [&](uint64_t word) { return word >= module.lo && word < module.hi; };
    if (!(module.flags & HEAPRAKE_MODULE_LOADED) || !inside(destroy)) continue;
    if (resume != 0 && !inside(resume)) return {};
    const ElfImage* image = files_->image(i);
    const auto is_start = [&](uint64_t word) {
      const uint64_t address = word - module.load;
      return image->function_start(address) == address;
    };
    if (!image || !is_start(destroy) || (resume != 0 && !is_start(resume))) return {};
    const auto name = [&](uint64_t word) {
      ModuleFile* file = word == 0 ? nullptr : files_->names(i);
      const std::optional<FileSymbol> symbol =
          file ? file->function(word - module.load) : std::nullopt;
      return symbol && symbol->address == word - module.load ? symbol->name : "";
    };
    const std::string resume_name = name(resume), destroy_name = name(destroy);
    if (!destroy_name.empty() || !resume_name.empty())
      return coroutine_of(resume_name, destroy_name);
    const uint64_t distance = resume > destroy ? resume - destroy : destroy - resume;
    if (resume != 0 && (distance == 0 || distance > kNear)) return {};
    return {Coroutine::Kind::kNameless, "coroutine frame"};
  }
  return {};
}

std::string place_in_code(const Snapshot& snapshot, uint64_t address) {
  for (const Module& module : snapshot.modules) {
    if (!(module.flags & HEAPRAKE_MODULE_LOADED) || address < module.lo || address >= module.hi)
      continue;
    return module.path.substr(module.path.rfind('/') + 1) + "+" +
           hexadecimal(address - module.load);
  }
  return "";
}

}  // namespace heaprake::cli
