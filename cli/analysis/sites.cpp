#include "cli/analysis/sites.h"

namespace heaprake::cli {

namespace {

constexpr uint32_t kUnknown = UINT32_MAX;

}  // namespace

Sites::Sites(const Snapshot& snapshot)
    : snapshot_(snapshot),
      images_(snapshot.modules.size()),
      of_(snapshot.stack_first.empty() ? 1 : snapshot.stack_first.size() - 1, kUnknown),
      functions_(snapshot.modules.size()) {
  of_[0] = 0;
}

uint64_t Sites::function_of(const Pc& pc) {
  const auto module = static_cast<size_t>(pc.module);
  const auto [known, fresh] = functions_[module].try_emplace(pc.offset, pc.offset);
  if (!fresh) return known->second;
  std::unique_ptr<ElfImage>& image = images_[module];
  if (!image) image = std::make_unique<ElfImage>(snapshot_.modules[module].path);
  if (image->build_id() != snapshot_.modules[module].build_id) return pc.offset;
  // The call ends just before the return address.
  if (const auto start = image->function_start(pc.offset - 1)) known->second = *start;
  return known->second;
}

uint32_t Sites::of(uint32_t stack) {
  if (of_[stack] != kUnknown) return of_[stack];
  std::vector<uint64_t> key;
  for (const Pc& pc : snapshot_.stack_of(stack)) {
    const bool innermost = key.empty();
    key.push_back(static_cast<uint64_t>(pc.module + 1));
    key.push_back(innermost || pc.module < 0 ? pc.offset : function_of(pc));
  }
  const auto next = static_cast<uint32_t>(numbers_.size()) + 1;
  return of_[stack] = numbers_.try_emplace(std::move(key), next).first->second;
}

}  // namespace heaprake::cli
