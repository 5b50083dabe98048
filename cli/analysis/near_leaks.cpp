#include "cli/analysis/near_leaks.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace heaprake::cli {

namespace {

// Which places within blocks of a kind the program refers to.
class UsualPlaces {
 public:
  explicit UsualPlaces(const Snapshot& snapshot) : snapshot_(snapshot) {
    kinds_.resize(snapshot.stack_first.empty() ? 1 : snapshot.stack_first.size() - 1);
    for (uint32_t stack = 1; stack < kinds_.size(); ++stack) kinds_[stack] = kind_of(stack);
    for (uint32_t block = 0; block < snapshot.blocks(); ++block) {
      for (const BlockEdge& edge : snapshot.edges_of(block))
        if (edge.inner != 0) note(edge.to, edge.inner);
    }
    for (const RootReference& root : snapshot.roots)
      if (root.inner != 0) note(root.to, root.inner);
  }

  // Another block of its kind is referred to in the same way.
  bool contains(uint32_t block, uint64_t inner) const {
    const auto found = first_.find(place(block, inner));
    return found != first_.end() && found->second != block;
  }

 private:
  static constexpr uint32_t kSeveral = UINT32_MAX;
  static constexpr uint64_t kOdd = 0x9e3779b97f4a7c15ull;

  // Who calls the function that allocates does not matter.
  uint64_t kind_of(uint32_t stack) const {
    constexpr size_t kInnermost = 3;
    const std::span<const Pc> frames = snapshot_.stack_of(stack);
    uint64_t kind = 1;
    for (const Pc& pc : frames.first(std::min(frames.size(), kInnermost)))
      kind = (kind ^ pc.offset ^ static_cast<uint64_t>(pc.module) << 48) * kOdd;
    return kind;
  }
  uint64_t place(uint32_t block, uint64_t inner) const {
    const uint64_t kind = kinds_[snapshot_.stack[block]];
    return (kind != 0 ? kind : snapshot_.requested[block] * kOdd) ^ inner;
  }
  void note(uint32_t block, uint64_t inner) {
    const auto [found, fresh] = first_.try_emplace(place(block, inner), block);
    if (!fresh && found->second != block) found->second = kSeveral;
  }

  const Snapshot& snapshot_;
  std::vector<uint64_t> kinds_;                   // of stacks; 0 for none
  std::unordered_map<uint64_t, uint32_t> first_;  // the one block, or kSeveral
};

class Search {
 public:
  Search(const Snapshot& snapshot, const Types& types)
      : snapshot_(snapshot),
        types_(types),
        usual_(snapshot),
        reached_(snapshot.blocks(), Reached::kNot) {}

  NearLeaks run() {
    spread(Reached::kCertainly);
    for (uint32_t block : put_off_) reach(block, Reached::kByInterior);
    spread(Reached::kByInterior);
    spread(Reached::kFromDeadFrame);
    NearLeaks near;
    near.interior.resize(snapshot_.blocks());
    near.dead_frame.resize(snapshot_.blocks());
    for (uint32_t block = 0; block < snapshot_.blocks(); ++block) {
      if (!snapshot_.reachable(block)) continue;
      near.interior[block] = reached_[block] == Reached::kByInterior;
      near.dead_frame[block] = reached_[block] == Reached::kFromDeadFrame;
    }
    return near;
  }

 private:
  enum class Reached : uint8_t { kNot, kCertainly, kByInterior, kFromDeadFrame };

  // Along references that are at least as good as `manner`.
  void spread(Reached manner) {
    for (const RootReference& root : snapshot_.roots)
      if (manner_of(root) <= manner) reach(root.to, manner);
    while (!open_.empty()) {
      const uint32_t block = open_.back();
      open_.pop_back();
      for (const BlockEdge& edge : snapshot_.edges_of(block)) {
        if (reached_[edge.to] != Reached::kNot) continue;
        if (manner == Reached::kCertainly && is_doubtful(edge.to, edge.inner))
          put_off_.push_back(edge.to);
        else
          reach(edge.to, manner);
      }
    }
  }

  void reach(uint32_t block, Reached manner) {
    if (reached_[block] != Reached::kNot) return;
    reached_[block] = manner;
    open_.push_back(block);
  }

  Reached manner_of(const RootReference& root) const {
    if (is_in_dead_frame(snapshot_, root)) return Reached::kFromDeadFrame;
    constexpr uint64_t kVector = 16;
    const bool vector =
        root.inner == kVector && (root.kind == GC_REFERENCE_TLS || is_loaders(root.to));
    if (root.kind == GC_REFERENCE_PINNED || vector || !is_doubtful(root.to, root.inner))
      return Reached::kCertainly;
    return Reached::kByInterior;
  }

  // A thread's table of TLS blocks stays with its stack when it has ended: libc uses both again.
  bool is_loaders(uint32_t block) const {
    for (const Pc& pc : snapshot_.stack_of(snapshot_.stack[block])) {
      if (pc.module < 0) return false;
      const std::string& path = snapshot_.modules[static_cast<size_t>(pc.module)].path;
      const std::string_view file = std::string_view(path).substr(path.rfind('/') + 1);
      if (file.starts_with("ld-linux")) return true;
      if (!file.starts_with("libheaprake")) return false;
    }
    return false;
  }

  bool is_doubtful(uint32_t block, uint64_t inner) const {
    return inner != 0 && inner < snapshot_.requested[block] && !is_base(block, inner) &&
           !is_behind_count(block, inner) && !usual_.contains(block, inner);
  }

  bool is_base(uint32_t block, uint64_t inner) const {
    const std::vector<uint32_t>& bases = types_.type(block).bases;
    return types_.of[block] != 0 && std::binary_search(bases.begin(), bases.end(),
                                                       inner - types_.type(block).object_offset());
  }

  bool is_behind_count(uint32_t block, uint64_t inner) const {
    const PackedWords words = snapshot_.words_of(block);
    return inner == sizeof(uint64_t) && !words.empty() &&
           is_array_count(words[0], snapshot_.requested[block]);
  }

  const Snapshot& snapshot_;
  const Types& types_;
  const UsualPlaces usual_;
  std::vector<Reached> reached_;
  std::vector<uint32_t> open_;
  std::vector<uint32_t> put_off_;  // led to by doubtful references from certain blocks
};

}  // namespace

bool NearLeaks::any() const {
  return std::find(interior.begin(), interior.end(), true) != interior.end() ||
         std::find(dead_frame.begin(), dead_frame.end(), true) != dead_frame.end();
}

NearLeaks near_leaks(const Snapshot& snapshot, const Types& types) {
  if (!(snapshot.header.flags & HEAPRAKE_SNAPSHOT_ALL)) return {};
  return Search(snapshot, types).run();
}

}  // namespace heaprake::cli
