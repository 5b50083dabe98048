#include "cli/analysis/paths.h"

#include <algorithm>

#include "cli/text.h"

namespace heaprake::cli {

namespace {

// Of a way in one line: so many steps from its start, and so many blocks at its end.
constexpr size_t kMostSteps = 5, kLastSteps = 3;

}  // namespace

Paths::Paths(const Snapshot& snapshot, const Progress& progress)
    : snapshot_(snapshot), before_(snapshot.blocks(), kUnreached), which_(snapshot.blocks(), 0) {
  report_progress(progress, "searching ways from the roots", 0, 2);
  search(true);
  report_progress(progress, "searching ways from the roots", 1, 2);
  search(false);
  queue_ = {};
}

void Paths::search(bool globals) {
  queue_.clear();
  for (uint32_t i = 0; i < snapshot_.roots.size(); ++i) {
    const RootReference& root = snapshot_.roots[i];
    if ((root.kind == GC_REFERENCE_GLOBAL) != globals || before_[root.to] != kUnreached) continue;
    before_[root.to] = kRoot;
    which_[root.to] = i;
    queue_.push_back(root.to);
  }
  for (size_t next = 0; next < queue_.size(); ++next) {
    const uint32_t block = queue_[next];
    uint32_t which = 0;
    for (const BlockEdge& edge : snapshot_.edges_of(block)) {
      const uint32_t index = which++;
      if (before_[edge.to] != kUnreached) continue;
      before_[edge.to] = block;
      which_[edge.to] = index;
      queue_.push_back(edge.to);
    }
  }
}

std::optional<Path> Paths::to(uint32_t block) const {
  if (before_[block] == kUnreached) return std::nullopt;
  Path path;
  while (before_[block] != kRoot) {
    const BlockEdge& edge = snapshot_.edges_of(before_[block])[which_[block]];
    path.steps.push_back({block, edge.offset, edge.inner});
    block = before_[block];
  }
  path.root = snapshot_.roots[which_[block]];
  path.steps.push_back({block, 0, static_cast<uint32_t>(path.root.inner)});
  std::reverse(path.steps.begin(), path.steps.end());
  return path;
}

std::string name_of_block(const Names& names, uint32_t block) {
  const std::string& type = names.types.name(block);
  if (!type.empty()) return printable(type);
  return "block of " + counted(names.snapshot.requested[block], "byte");
}

std::string name_of_word(const Names& names, uint32_t block, uint32_t offset) {
  const Type& type = names.types.type(block);
  if (names.types.of[block] != 0 && offset >= type.object_offset()) {
    const std::string& field = names.fields.at(type, offset - type.object_offset());
    if (!field.empty()) return printable(field);
  }
  return "offset " + grouped(offset);
}

namespace {

// "Node.next", "block of 40 bytes + 8"; the last block of a way is left by no word.
std::string step_text(const Names& names, const Path& path, size_t i) {
  const uint32_t block = path.steps[i].block;
  if (i + 1 == path.steps.size()) return name_of_block(names, block);
  const uint32_t offset = path.steps[i + 1].offset;
  const std::string word = name_of_word(names, block, offset);
  return name_of_block(names, block) +
         (word.starts_with("offset ") ? " + " + grouped(offset) : "." + word);
}

}  // namespace

std::string path_text(const Names& names, const Path& path) {
  const size_t count = path.steps.size();
  std::string text = names.symbols.describe(path.root);
  size_t shown = 0;
  for (size_t i = 0; i < count;) {
    if (shown == kMostSteps && i + kLastSteps < count) {
      text += " -> (" + grouped(count - kLastSteps - i) + " more)";
      i = count - kLastSteps;
      continue;
    }
    // A list or a tree is one step, however often it goes on in the same way.
    const std::string name = name_of_block(names, path.steps[i].block);
    size_t next = i + 1;
    while (next + 1 < count && name_of_block(names, path.steps[next].block) == name) ++next;
    if (next > i + 2)
      text += " -> " + grouped(next - i) + " times " + name;
    else
      text += " -> " + step_text(names, path, i);
    i = next > i + 2 ? next : i + 1;
    ++shown;
  }
  return text;
}

}  // namespace heaprake::cli
