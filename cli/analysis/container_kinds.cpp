#include "cli/analysis/container_kinds.h"

#include <array>
#include <optional>

namespace heaprake::cli {

namespace {

// The library's calls around the one that allocates.
constexpr size_t kMostFrames = 16;
constexpr std::array<std::string_view, 8> kKinds = {
    "map",           "set",           "multimap",           "multiset",
    "unordered_map", "unordered_set", "unordered_multimap", "unordered_multiset"};

bool has(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

// Without arguments: "std::pair std::map::emplace".
std::string without_arguments(std::string_view name) {
  std::string text;
  int depth = 0;
  for (char c : name) {
    if (c == '<' || c == '(') ++depth;
    if (depth == 0) text += c;
    if (c == '>' || c == ')') --depth;
  }
  return text;
}

// The function's own name with its scope, in which words of return types come first.
std::string_view scoped_name(std::string_view words) {
  const size_t colons = words.rfind("::");
  if (colons == std::string_view::npos) return {};
  const size_t space = words.rfind(' ', colons);
  return words.substr(space == std::string_view::npos ? 0 : space + 1);
}

}  // namespace

LibraryCall library_call(std::string_view function) {
  const std::string words = without_arguments(function);
  std::string_view name = scoped_name(words);
  LibraryCall call;
  call.library = name.starts_with("std::") || name.starts_with("__gnu_cxx::") ||
                 name.starts_with("heaprake::") || words.starts_with("operator new") ||
                 words == "malloc" || words.empty();
  if (!name.starts_with("std::")) return call;
  name.remove_prefix(5);
  // An inline namespace of the library: std::__1::map.
  if (name.starts_with("__") && has(name, "::") &&
      name.substr(name.find("::") + 2).find("::") != std::string_view::npos)
    name.remove_prefix(name.find("::") + 2);
  const std::string_view scope = name.substr(0, name.find("::"));
  for (std::string_view kind : kKinds)
    if (scope == kind) call.kind = "std::" + std::string(kind);
  const bool key_only = has(function, "std::_Identity<") || has(function, "__detail::_Identity");
  const bool pairs = has(function, "_Select1st");
  if ((scope == "_Rb_tree" || scope == "_Hashtable") && key_only != pairs) call.has_values = pairs;
  // libc++'s: the first argument is what a node holds, and of a map that is a class of the library.
  if (scope == "__tree" || scope == "__hash_table") {
    const std::string_view held = function.substr(function.find(scope) + scope.size());
    call.has_values = has(held.substr(0, held.find_first_of(",")), "value_type<");
  }
  return call;
}

std::string kind_by_calls(const std::vector<std::string>& functions) {
  std::optional<bool> has_values;
  for (const std::string& function : functions) {
    const LibraryCall call = library_call(function);
    if (!call.library) break;
    if (!has_values) has_values = call.has_values;
    if (call.kind.empty()) continue;
    // Whose table is inside another one's: that one's call comes later.
    if (has_values && *has_values != has(call.kind, "map")) break;
    return call.kind;
  }
  return "";
}

ContainerKinds::ContainerKinds(const Snapshot& snapshot, const Types& types, Fields& fields,
                               SharedFiles files)
    : snapshot_(snapshot),
      types_(types),
      fields_(fields),
      files_(or_own(std::move(files), snapshot)) {}

const std::string& ContainerKinds::by_stack(uint32_t stack) {
  const auto [known, fresh] = of_stack_.try_emplace(stack);
  if (!fresh) return known->second;
  std::vector<std::string> functions;
  for (const Pc& pc : snapshot_.stack_of(stack)) {
    if (functions.size() >= kMostFrames) break;
    ModuleFile* file =
        pc.module < 0 || pc.offset == 0 ? nullptr : files_->names(static_cast<uint32_t>(pc.module));
    if (!file) continue;
    for (const SourcePlace& place : file->places(pc.offset - 1))
      functions.push_back(place.function);
  }
  return known->second = kind_by_calls(functions);
}

std::string ContainerKinds::of(const Container& container) {
  const std::string_view own = container.kind;
  if (!has(own, " or ")) return std::string(own);
  const Type& type = types_.type(container.owner);
  if (types_.of[container.owner] != 0 && container.offset >= type.object_offset()) {
    const std::string& kind = fields_.container_at(type, container.offset - type.object_offset());
    if (!kind.empty()) return kind;
  }
  // The nodes are the last of the parts; a table's buckets come first.
  if (container.parts.empty()) return std::string(own);
  const std::string& kind = by_stack(snapshot_.stack[container.parts.back().block]);
  return kind.empty() ? std::string(own) : kind;
}

}  // namespace heaprake::cli
