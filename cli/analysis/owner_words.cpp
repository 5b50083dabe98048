#include "cli/analysis/owner_words.h"

#include <algorithm>

#include "cli/analysis/folding.h"

namespace heaprake::cli {

OwnerWords::OwnerWords(const Snapshot& snapshot, const Types& types, Fields* fields,
                       const std::vector<uint32_t>& blocks, const Controls& controls,
                       const Found& found)
    : snapshot_(snapshot), types_(types), controls_(controls) {
  std::unordered_map<uint32_t, std::vector<Word>> words;
  // The control block may be another structure's.
  const auto has_weak = [&](uint32_t block) {
    const std::optional<OwnerCounts> counts = counts_of(snapshot, types, block);
    return counts && counts->weak > 0;
  };
  for (uint32_t block : blocks) {
    for (const BlockEdge& edge : snapshot.edges_of(block)) {
      if (edge.inner != 0 || edge.offset < 8 || edge.offset == UINT32_MAX) continue;
      if (words.contains(edge.to) || has_weak(edge.to))
        words[edge.to].push_back({block, edge.offset});
    }
  }
  for (auto& [control, all] : words) {
    const int64_t others = std::max<int64_t>(found(control) - std::ssize(all), 0);
    tell(control, all, others, *counts_of(snapshot, types, control), fields);
  }
  for (const Open& open : open_) settle(open);
}

void OwnerWords::settle(const Open& open) {
  int64_t weak = open.weak;
  for (const Word& word : open.words) {
    if (weak == 0 || !weak_places_.contains(place_of(word))) continue;
    set(word, Hold::kWeak);
    --weak;
  }
  if (weak != 0) return;
  for (const Word& word : open.words) {
    const auto left = holds_.find(key(word.from, word.offset));
    if (left->second == Hold::kEither) holds_.erase(left);
  }
}

uint32_t OwnerWords::object_of(uint32_t control) const {
  const auto apart = controls_.find(control);
  return apart == controls_.end() ? control : apart->second;
}

void OwnerWords::tell(uint32_t control, std::vector<Word>& words, int64_t others,
                      const OwnerCounts& counts, Fields* fields) {
  int64_t owners = counts.owners, weak = counts.weak;
  const auto take = [&](size_t index, Hold hold) {
    if (hold != Hold::kOwner) set(words[index], hold);
    --(hold == Hold::kWeak ? weak : owners);
    words.erase(words.begin() + static_cast<ptrdiff_t>(index));
  };
  for (size_t i = words.size(); fields && i-- > 0;) {
    const Type& type = types_.type(words[i].from);
    if (types_.of[words[i].from] == 0 || words[i].offset < type.object_offset()) continue;
    const SmartPointer kind = fields->pointer_at(type, words[i].offset - type.object_offset());
    if (kind == SmartPointer::kShared || kind == SmartPointer::kWeak)
      take(i, kind == SmartPointer::kWeak ? Hold::kWeak : Hold::kOwner);
  }
  const auto all_are_weak = [&] { return owners <= 0 || weak >= std::ssize(words) + others; };
  // Blocks come in address order, and words by offset.
  const uint32_t object = object_of(control);
  const auto self = std::find_if(words.begin(), words.end(),
                                 [&](const Word& word) { return word.from == object; });
  if (weak > 0 && !all_are_weak() && self != words.end()) {
    presumed_.insert(object);
    take(static_cast<size_t>(self - words.begin()), Hold::kWeak);
  }
  if (weak <= 0) return;
  for (const Word& word : words) {
    set(word, all_are_weak() ? Hold::kWeak : Hold::kEither);
    if (all_are_weak() && types_.of[word.from] != 0) weak_places_.insert(place_of(word));
  }
  if (!all_are_weak()) open_.push_back({words, weak});
}

const BlockEdge* OwnerWords::second_word(uint32_t from, const BlockEdge& edge) const {
  const std::span<const BlockEdge> edges = snapshot_.edges_of(from);
  const auto next =
      std::lower_bound(edges.begin(), edges.end(), uint64_t{edge.offset} + 8,
                       [](const BlockEdge& at, uint64_t offset) { return at.offset < offset; });
  if (next == edges.end() || next->offset != uint64_t{edge.offset} + 8 || next->inner != 0)
    return nullptr;
  return edge.to == object_of(next->to) && counts_of(snapshot_, types_, next->to) ? &*next
                                                                                  : nullptr;
}

Hold OwnerWords::of(uint32_t from, const BlockEdge& edge) const {
  const BlockEdge* second = second_word(from, edge);
  if (!second) {
    const bool is_second =
        edge.inner == 0 && edge.offset >= 8 && counts_of(snapshot_, types_, edge.to);
    if (!is_second) return Hold::kPlain;
    second = &edge;
  }
  const auto found = holds_.find(key(from, second->offset));
  return found == holds_.end() ? Hold::kOwner : found->second;
}

}  // namespace heaprake::cli
