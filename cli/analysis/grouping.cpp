#include "cli/analysis/grouping.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "cli/analysis/circles.h"
#include "cli/analysis/sites.h"

namespace heaprake::cli {

namespace {

uint64_t mixed(uint64_t h) {
  h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93ull;
  h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93ull;
  return h ^ (h >> 32);
}

struct Hash {
  template <class Key>
  size_t operator()(const Key& key) const {
    uint64_t h = 0;
    std::apply([&h](auto... part) { ((h = mixed(h + static_cast<uint64_t>(part))), ...); }, key);
    return h;
  }
};

// A number for each kind of block.
class Kinds {
 public:
  Kinds(const Snapshot& snapshot, const Types& types, const Structures& structures,
        SharedFiles files)
      : snapshot_(snapshot),
        types_(types),
        structures_(structures),
        sites_(snapshot, std::move(files)) {}

  uint32_t of(uint32_t node) {
    const uint32_t block = structures_.block_of[node];
    const uint32_t type = types_.of[block], stack = sites_.of(snapshot_.stack[block]);
    const uint64_t size = type == 0 && stack == 0 ? snapshot_.requested[block] : 0;
    const auto next = static_cast<uint32_t>(numbers_.size());
    return numbers_.try_emplace({type, stack, size}, next).first->second;
  }

  uint32_t site_of(uint32_t stack) { return sites_.of(stack); }

 private:
  using Kind = std::tuple<uint32_t, uint32_t, uint64_t>;
  const Snapshot& snapshot_;
  const Types& types_;
  const Structures& structures_;
  Sites sites_;
  std::unordered_map<Kind, uint32_t, Hash> numbers_;
};

class Grouping {
 public:
  Grouping(const Snapshot& snapshot, const Types& types, const Structures& structures,
           SharedFiles files)
      : snapshot_(snapshot),
        structures_(structures),
        kinds_(snapshot, types, structures, std::move(files)) {}

  std::vector<Group> run() {
    for (uint32_t i = 0; i < structures_.all.size(); ++i) add(i);
    for (const auto& [key, share] : shares_) groups_[key.first].finding.shares.push_back(share);
    for (Group& group : groups_) sort_shares(&group.finding.shares);
    std::stable_sort(groups_.begin(), groups_.end(), [](const Group& a, const Group& b) {
      return std::tie(a.finding.bytes, a.finding.blocks) >
             std::tie(b.finding.bytes, b.finding.blocks);
    });
    uint64_t id = 0;
    for (Group& group : groups_) group.finding.id = ++id;
    return std::move(groups_);
  }

 private:
  // Shape and ring length, kinds in the root component, kNoKind, kinds below it.
  using Key = std::vector<uint32_t>;
  static constexpr uint32_t kNoKind = UINT32_MAX;
  struct KeyHash {
    size_t operator()(const Key& key) const {
      uint64_t h = 0;
      for (uint32_t part : key) h = mixed(h + part);
      return h;
    }
  };

  static void sort_shares(std::vector<Share>* shares) {
    std::sort(shares->begin(), shares->end(), [](const Share& a, const Share& b) {
      return std::tie(b.bytes, b.blocks, a.stack, a.root) <
             std::tie(a.bytes, a.blocks, b.stack, b.root);
    });
  }

  // Appends the kinds of nodes order[begin ... end), ascending, each once.
  void append_kinds(uint32_t begin, uint32_t end) {
    const auto start = static_cast<ptrdiff_t>(key_.size());
    for (uint32_t i = begin; i < end; ++i) {
      const uint32_t kind = kinds_.of(structures_.order[i]);
      if (key_.size() > static_cast<size_t>(start) && key_.back() == kind) continue;
      key_.push_back(kind);
    }
    std::sort(key_.begin() + start, key_.end());
    key_.erase(std::unique(key_.begin() + start, key_.end()), key_.end());
  }

  void add(uint32_t index) {
    const Structure& structure = structures_.all[index];
    const uint32_t middle = structure.begin + structure.root_blocks;
    key_.assign(
        {static_cast<uint32_t>(structure.shape), std::min(structure.root_blocks, kLongRing + 1)});
    append_kinds(structure.begin, middle);
    key_.push_back(kNoKind);
    append_kinds(middle, structure.end);
    const auto next = static_cast<uint32_t>(groups_.size());
    const auto [at, fresh] = numbers_.try_emplace(key_, next);
    if (fresh) groups_.push_back(first_of(structure, index));
    count(&groups_[at->second], index);
    share(at->second, structure.begin, middle, true);
    share(at->second, middle, structure.end, false);
  }

  static Group first_of(const Structure& structure, uint32_t index) {
    Group group{{}, index};
    group.finding.shape = structure.shape;
    group.finding.fewest_blocks = group.finding.fewest_root = UINT32_MAX;
    group.finding.fewest_bytes = UINT64_MAX;
    group.finding.first_ms = UINT32_MAX;
    return group;
  }

  void count(Group* group, uint32_t index) {
    const Structure& structure = structures_.all[index];
    Finding& finding = group->finding;
    ++finding.structures;
    finding.blocks += structure.blocks();
    finding.bytes += structure.bytes;
    finding.cycles += structure.shape == Shape::kCycle ? 1 : 0;
    if (structure.blocks() < finding.fewest_blocks) group->example = index;
    finding.fewest_blocks = std::min(finding.fewest_blocks, structure.blocks());
    finding.most_blocks = std::max(finding.most_blocks, structure.blocks());
    finding.fewest_bytes = std::min(finding.fewest_bytes, structure.bytes);
    finding.most_bytes = std::max(finding.most_bytes, structure.bytes);
    finding.fewest_root = std::min(finding.fewest_root, structure.root_blocks);
    finding.most_root = std::max(finding.most_root, structure.root_blocks);
    if (finding.roots.size() < Finding::kMostRoots)
      finding.roots.push_back(structures_.block_of[structures_.order[structure.begin]]);
    for (uint32_t i = structure.begin; i < structure.begin + structure.root_blocks; ++i) {
      const uint32_t time = snapshot_.time_ms[structures_.block_of[structures_.order[i]]];
      finding.first_ms = std::min(finding.first_ms, time);
      finding.last_ms = std::max(finding.last_ms, time);
    }
  }

  void share(uint32_t group, uint32_t begin, uint32_t end, bool root) {
    for (uint32_t i = begin; i < end; ++i) {
      const uint32_t block = structures_.block_of[structures_.order[i]];
      const uint32_t stack = snapshot_.stack[block];
      Share& share = shares_[{group, uint64_t{stack} << 1 | (root ? 1 : 0)}];
      share.stack = stack;
      share.root = root;
      share.site = kinds_.site_of(stack);
      ++share.blocks;
      share.bytes += snapshot_.requested[block];
    }
  }

  struct PairHash {
    size_t operator()(const std::pair<uint32_t, uint64_t>& key) const {
      return mixed(mixed(key.first) + key.second);
    }
  };

  const Snapshot& snapshot_;
  const Structures& structures_;
  Kinds kinds_;
  Key key_;  // of the structure at hand
  std::unordered_map<Key, uint32_t, KeyHash> numbers_;
  std::unordered_map<std::pair<uint32_t, uint64_t>, Share, PairHash> shares_;
  std::vector<Group> groups_;
};

}  // namespace

std::vector<Group> group(const Snapshot& snapshot, const Types& types, const Structures& structures,
                         SharedFiles files) {
  return Grouping(snapshot, types, structures, std::move(files)).run();
}

}  // namespace heaprake::cli
