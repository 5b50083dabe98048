#include "cli/analysis/paths.h"

#include <algorithm>

#include "cli/text.h"

namespace heaprake::cli {

namespace {

// Of a way in one line: so many steps from its start, and so many blocks at its end.
constexpr size_t kMostSteps = 5, kLastSteps = 3;

}  // namespace

Paths::Paths(const Names& names, const Progress& progress)
    : snapshot_(names.snapshot),
      weak_(names),
      before_(snapshot_.blocks(), kUnreached),
      which_(snapshot_.blocks(), 0),
      steps_(snapshot_.blocks(), 0) {
  report_progress(progress, "searching ways from the roots", 0, 2);
  const std::vector<uint32_t> by_globals = search(true, false, {});
  report_progress(progress, "searching ways from the roots", 1, 2);
  const std::vector<uint32_t> by_others = search(false, false, {});
  if (weak_.any()) {
    search(true, true, by_globals);
    search(false, true, by_others);
  }
  steps_ = {};
}

void Paths::enter(uint32_t block, uint32_t before, uint32_t which) {
  if (before_[block] != kUnreached) return;
  before_[block] = before;
  which_[block] = which;
  steps_[block] = before == kRoot ? 0 : steps_[before] + 1;
  queue_.push_back(block);
}

std::vector<uint32_t> Paths::search(bool globals, bool weak, const std::vector<uint32_t>& reached) {
  queue_.clear();
  for (uint32_t i = 0; i < snapshot_.roots.size(); ++i) {
    const RootReference& root = snapshot_.roots[i];
    if ((root.kind == GC_REFERENCE_GLOBAL) == globals && weak_.root(i) == weak)
      enter(root.to, kRoot, i);
  }
  for (size_t next = 0, next_reached = 0; next < queue_.size() || next_reached < reached.size();) {
    const bool from_reached =
        next == queue_.size() ||
        (next_reached < reached.size() && steps_[reached[next_reached]] <= steps_[queue_[next]]);
    go_on(from_reached ? reached[next_reached++] : queue_[next++], weak);
  }
  return std::move(queue_);
}

void Paths::go_on(uint32_t block, bool by_weak_words) {
  const uint64_t first = snapshot_.edge_first[block];
  uint32_t which = 0;
  for (const BlockEdge& edge : snapshot_.edges_of(block)) {
    if (by_weak_words || !weak_.edge(first + which)) enter(edge.to, block, which);
    ++which;
  }
}

std::optional<Path> Paths::to(uint32_t block) const {
  if (before_[block] == kUnreached) return std::nullopt;
  Path path;
  while (before_[block] != kRoot) {
    const uint32_t before = before_[block];
    const uint64_t index = snapshot_.edge_first[before] + which_[block];
    const BlockEdge& edge = snapshot_.edges[index];
    path.steps.push_back({block, edge.offset, edge.inner, weak_.edge(index)});
    block = before;
  }
  path.root = snapshot_.roots[which_[block]];
  path.steps.push_back(
      {block, 0, static_cast<uint32_t>(path.root.inner), weak_.root(which_[block])});
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

const char* note_of_word(const Path::Step& step) {
  return step.weak ? " (a std::weak_ptr)" : "";
}

namespace {

// "Node.next", "block of 40 bytes + 8"; the last block of a way is left by no word.
std::string step_text(const Names& names, const Path& path, size_t i) {
  const uint32_t block = path.steps[i].block;
  if (i + 1 == path.steps.size()) return name_of_block(names, block);
  const uint32_t offset = path.steps[i + 1].offset;
  const std::string word = name_of_word(names, block, offset);
  return name_of_block(names, block) +
         (word.starts_with("offset ") ? " + " + grouped(offset) : "." + word) +
         note_of_word(path.steps[i + 1]);
}

}  // namespace

std::string path_text(const Names& names, const Path& path) {
  const size_t count = path.steps.size();
  std::string text = names.symbols.describe(path.root) + note_of_word(path.steps[0]);
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
