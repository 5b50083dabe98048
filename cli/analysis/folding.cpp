#include "cli/analysis/folding.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace heaprake::cli {

namespace {

// Parts lie in parts no deeper than that, unless they do so in a ring.
constexpr int kMostNesting = 32;

bool is_shown_by_vtable(const Types& types, uint32_t block) {
  return types.sources[block] == TypeSource::kControlBlock && types.type(block).control.has_value();
}

// "m_pParentNode" has the words m, p, parent, node.
std::vector<std::string> words_of_name(std::string_view name) {
  const auto is = [&](auto what, size_t i) {
    return i < name.size() && what(static_cast<unsigned char>(name[i])) != 0;
  };
  const auto upper = [](int c) { return std::isupper(c); };
  const auto lower = [](int c) { return std::islower(c); };
  const auto letter = [](int c) { return std::isalpha(c); };
  std::vector<std::string> words(1);
  for (size_t i = 0; i < name.size(); ++i) {
    const bool begins = is(upper, i) && i > 0 && (!is(upper, i - 1) || is(lower, i + 1));
    if (begins || !is(letter, i)) words.emplace_back();
    if (is(letter, i))
      words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return words;
}

}  // namespace

bool leads_back_by_name(std::string_view field) {
  static constexpr std::array<std::string_view, 6> kNames = {"parent", "parents", "owner",
                                                             "outer",  "prev",    "previous"};
  const std::vector<std::string> words = words_of_name(field.substr(field.rfind('.') + 1));
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return std::find(kNames.begin(), kNames.end(), word) != kNames.end();
  });
}

std::optional<OwnerCounts> counts_of(const Snapshot& snapshot, const Types& types, uint32_t block) {
  if (!is_shown_by_vtable(types, block)) return std::nullopt;
  const PackedWords words = snapshot.words_of(block);
  const ControlBlock& control = *types.type(block).control;
  // Of reachable blocks two words are known.
  const size_t needed = control.libcxx ? 3 : 2;
  if (words.size() < needed) return std::nullopt;
  const OwnerCounts counts = owner_counts(control, words[1], needed > 2 ? words[2] : 0);
  // Such numbers are no counts.
  constexpr int64_t kMost = 1'000'000'000;
  if (counts.owners < 0 || counts.weak < 0 || counts.owners > kMost || counts.weak > kMost)
    return std::nullopt;
  return counts;
}

Folding::Folding(const Snapshot& snapshot, const Types& types, Fields* fields,
                 const std::vector<uint32_t>& blocks, const OwnerWords::Found& found)
    : snapshot_(snapshot),
      types_(types),
      fields_(fields),
      controls_(controls_in(snapshot, types, blocks)),
      owners_(snapshot, types, fields, blocks, controls_, found) {
  for (uint32_t block : blocks) find_parts(block);
}

void Folding::find_parts(uint32_t block) {
  for (Container& container : containers_in(snapshot_, block)) {
    const auto index = static_cast<uint32_t>(containers_.size());
    for (const ContainerPart& part : container.parts)
      parts_.try_emplace(part.block, Part{index, part.link_bytes});
    owned_[block].push_back(index);
    containers_.push_back(std::move(container));
  }
}

OwnerWords::Controls Folding::controls_in(const Snapshot& snapshot, const Types& types,
                                          const std::vector<uint32_t>& blocks) {
  OwnerWords::Controls controls;
  for (uint32_t block : blocks) {
    const Type& type = types.type(block);
    if (!is_shown_by_vtable(types, block) || type.control->inplace) continue;
    // Once the object has been destroyed, whatever is at its address is another one.
    const std::optional<OwnerCounts> counts = counts_of(snapshot, types, block);
    if (counts && counts->owners == 0) continue;
    const uint64_t place = type.control->pointer_offset(snapshot.requested[block]);
    for (const BlockEdge& edge : snapshot.edges_of(block)) {
      if (edge.offset != place || edge.to == block || snapshot.reachable(edge.to)) continue;
      controls.try_emplace(block, edge.to);
    }
  }
  return controls;
}

uint32_t Folding::whole_of(uint32_t block) const {
  uint32_t at = block;
  for (int depth = 0; depth < kMostNesting; ++depth) {
    const auto part = parts_.find(at);
    const auto control = controls_.find(at);
    if (part != parts_.end())
      at = containers_[part->second.container].owner;
    else if (control != controls_.end())
      at = control->second;
    else
      return at;
  }
  return block;
}

const Container* Folding::container_of(uint32_t block) const {
  const Container* outermost = nullptr;
  for (int depth = 0; depth < kMostNesting; ++depth) {
    const auto part = parts_.find(block);
    if (part == parts_.end()) return outermost;
    outermost = &containers_[part->second.container];
    block = outermost->owner;
  }
  return nullptr;
}

const Container* Folding::filling(uint32_t block) const {
  const auto owned = owned_.find(block);
  if (owned == owned_.end() || owned->second.size() != 1 || types_.of[block] != 0) return nullptr;
  const Container& container = containers_[owned->second[0]];
  const uint64_t rest = snapshot_.requested[block] - container.bytes;
  const bool fills = snapshot_.requested[block] >= container.bytes && rest <= 16;
  return container.offset == 0 && fills ? &container : nullptr;
}

bool Folding::is_all_of(uint32_t block, const Container& container) const {
  const uint64_t rest = snapshot_.requested[block] - container.bytes;
  // libstdc++'s unordered_map is longer than what is looked at of it.
  const bool table = container.bytes == 40 && container.owner == block && container.offset == 0;
  return rest == 0 || (table && rest == 16);
}

const Container* Folding::at(uint32_t block, uint64_t offset) const {
  const auto owned = owned_.find(block);
  if (owned == owned_.end()) return nullptr;
  for (uint32_t index : owned->second) {
    const Container& container = containers_[index];
    if (offset >= container.offset && offset - container.offset < container.bytes)
      return &container;
  }
  return nullptr;
}

bool Folding::is_called_back(uint32_t from, uint32_t offset) const {
  const Type& type = types_.type(from);
  if (!fields_ || types_.of[from] == 0 || offset < type.object_offset()) return false;
  return leads_back_by_name(fields_->at(type, offset - type.object_offset()));
}

// The compiler's word comes before what the coroutine itself keeps.
bool Folding::is_frames_own(uint32_t from, const BlockEdge& edge) const {
  if (edge.to != from || edge.inner != 0 || !types_.type(from).holds_itself) return false;
  for (const BlockEdge& other : snapshot_.edges_of(from))
    if (other.to == from && other.inner == 0) return other.offset == edge.offset;
  return false;
}

bool Folding::is_internal(uint32_t from, const BlockEdge& edge) const {
  if (is_frames_own(from, edge)) return true;
  const auto part = parts_.find(from);
  if (part != parts_.end() && edge.offset < part->second.link_bytes) return true;
  const auto control = controls_.find(from);
  if (control != controls_.end() && control->second == edge.to) return true;
  const Container* container = at(from, edge.offset);
  if (container) {
    if (edge.to == from && at(from, edge.inner) == container) return true;
    const auto target = parts_.find(edge.to);
    if (target != parts_.end() && &containers_[target->second.container] == container) return true;
  }
  return false;
}

}  // namespace heaprake::cli
