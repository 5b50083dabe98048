#include "cli/types/control_block.h"

#include <array>

namespace heaprake::cli {

namespace {

struct Pattern {
  const char* prefix;
  bool inplace;
  uint32_t offset;
  bool libcxx;
};

constexpr std::array kPatterns = {
    Pattern{"std::_Sp_counted_ptr_inplace<", true, 16, false},
    Pattern{"std::_Sp_counted_ptr<", false, 16, false},
    Pattern{"std::_Sp_counted_deleter<", false, 16, false},
    Pattern{"std::__1::__shared_ptr_emplace<", true, 24, true},
    Pattern{"std::__1::__shared_ptr_pointer<", false, 24, true},
};

std::string first_argument(const std::string& text, size_t at) {
  int depth = 0;
  size_t end = at;
  for (; end < text.size(); ++end) {
    const char c = text[end];
    if (depth == 0 && (c == ',' || c == '>')) break;
    if (c == '<' || c == '(') ++depth;
    if (c == '>' || c == ')') --depth;
  }
  return text.substr(at, end - at);
}

}  // namespace

std::optional<ControlBlock> control_block(const std::string& type) {
  for (const Pattern& pattern : kPatterns) {
    const std::string_view prefix = pattern.prefix;
    if (!type.starts_with(prefix)) continue;
    ControlBlock block;
    block.object = first_argument(type, prefix.size());
    const size_t end = prefix.size() + block.object.size();
    while (!block.object.empty() && block.object.back() == ' ') block.object.pop_back();
    if (!pattern.inplace && !block.object.empty() && block.object.back() == '*')
      block.object.pop_back();
    block.inplace = pattern.inplace;
    const std::string_view rest = std::string_view(type).substr(end);
    block.has_allocator = pattern.inplace && !rest.starts_with(", std::allocator<") &&
                          !rest.starts_with(", std::__1::allocator<");
    block.offset = pattern.offset;
    block.has_deleter = prefix == "std::_Sp_counted_deleter<";
    block.libcxx = pattern.libcxx;
    return block;
  }
  return std::nullopt;
}

OwnerCounts owner_counts(const ControlBlock& block, uint64_t word1, uint64_t word2) {
  if (block.libcxx) {
    const int64_t owners = static_cast<int64_t>(word1) + 1;
    return {owners, static_cast<int64_t>(word2) + (owners > 0 ? 0 : 1)};
  }
  const auto owners = static_cast<int32_t>(word1 & 0xffffffff);
  const auto weak = static_cast<int32_t>(word1 >> 32);
  return {owners, weak - (owners > 0 ? 1 : 0)};
}

}  // namespace heaprake::cli
