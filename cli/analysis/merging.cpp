#include "cli/analysis/merging.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "cli/analysis/circles.h"
#include "cli/analysis/sites.h"

namespace heaprake::cli {

namespace {

constexpr size_t kMostLabels = 64;  // of a structure that are compared

// Of an object its type and where it was allocated.
using Kind = std::pair<uint64_t, uint64_t>;
// The cycle's length and the number of kinds that are lost; these; and of what hangs below that is
// no part of it.
using Key = std::vector<Kind>;

void make_unique(std::vector<Kind>& kinds) {
  kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
}

class Keys {
 public:
  Keys(const Snapshot& snapshot, const Types& types, SharedFiles files)
      : snapshot_(snapshot), types_(types), sites_(snapshot, std::move(files)) {}

  // Nothing where nothing is known by which a person would know it again.
  std::optional<Key> of(const Finding& finding) {
    const std::vector<const Member*> lost = lost_members(finding);
    if (lost.empty()) return std::nullopt;
    Key key, below;
    bool typed = true;
    for (const Member* member : lost) {
      key.push_back(kind_of(*member));
      if (key.back() == Kind{}) return std::nullopt;
      typed = typed && key.back().first != 0;
    }
    for (const Member& member : finding.members)
      if (member.part_of < 0 && std::find(lost.begin(), lost.end(), &member) == lost.end())
        below.push_back(kind_of(member));
    // Of blocks without a type one more or less may be another thing altogether.
    if (!typed && finding.members_omitted > 0) return std::nullopt;
    for (Key* kinds : {&key, &below}) std::sort(kinds->begin(), kinds->end());
    make_unique(key);
    if (typed) make_unique(below);
    key.insert(key.begin(), Kind{std::min(finding.cycle_length, kLongRing + 1), key.size()});
    key.insert(key.end(), below.begin(), below.end());
    return key;
  }

 private:
  Kind kind_of(const Member& member) {
    return {types_.of[snapshot_.block_at(member.address)], sites_.of(member.stack)};
  }

  const Snapshot& snapshot_;
  const Types& types_;
  Sites sites_;
};

// What belongs to the objects that are lost, each once; nothing if that is too much.
std::optional<std::set<std::string>> labels_of(const Finding& finding) {
  const std::vector<const Member*> lost = lost_members(finding);
  std::set<std::string> labels;
  for (const Member& member : finding.members) {
    if (std::find(lost.begin(), lost.end(), &member) != lost.end()) continue;
    labels.insert(member.label.empty() ? "a block of unknown type" : member.label);
    if (labels.size() > kMostLabels) return std::nullopt;
  }
  if (finding.members_omitted > 0) return std::nullopt;
  return labels;
}

std::vector<VaryingPart> varying_parts(const std::vector<Finding>& same) {
  std::map<std::string, uint64_t> counts;
  uint64_t all = 0;
  for (const Finding& finding : same) {
    const auto labels = labels_of(finding);
    if (!labels) return {};
    for (const std::string& label : *labels) counts[label] += finding.structures;
    all += finding.structures;
  }
  std::vector<VaryingPart> parts;
  for (const auto& [label, structures] : counts)
    if (structures < all) parts.push_back({label, structures});
  std::stable_sort(parts.begin(), parts.end(), [](const VaryingPart& a, const VaryingPart& b) {
    return a.structures > b.structures;
  });
  return parts;
}

std::vector<Share> shares_of(const std::vector<Finding>& same) {
  std::map<std::pair<uint32_t, bool>, Share> sums;
  for (const Finding& finding : same) {
    for (const Share& share : finding.shares) {
      Share& sum = sums.try_emplace({share.stack, share.root},
                                    Share{share.stack, share.root, 0, 0, share.site})
                       .first->second;
      sum.blocks += share.blocks;
      sum.bytes += share.bytes;
    }
  }
  std::vector<Share> shares;
  shares.reserve(sums.size());
  for (const auto& [key, share] : sums) shares.push_back(share);
  std::sort(shares.begin(), shares.end(), [](const Share& a, const Share& b) {
    return std::tie(b.bytes, b.blocks, a.stack, a.root) <
           std::tie(a.bytes, a.blocks, b.stack, b.root);
  });
  return shares;
}

void add(Finding* sum, Finding& other) {
  sum->structures += other.structures;
  sum->blocks += other.blocks;
  sum->bytes += other.bytes;
  sum->cycles += other.cycles;
  sum->fewest_blocks = std::min(sum->fewest_blocks, other.fewest_blocks);
  sum->most_blocks = std::max(sum->most_blocks, other.most_blocks);
  sum->fewest_root = std::min(sum->fewest_root, other.fewest_root);
  sum->most_root = std::max(sum->most_root, other.most_root);
  sum->fewest_bytes = std::min(sum->fewest_bytes, other.fewest_bytes);
  sum->most_bytes = std::max(sum->most_bytes, other.most_bytes);
  sum->first_ms = std::min(sum->first_ms, other.first_ms);
  sum->last_ms = std::max(sum->last_ms, other.last_ms);
  sum->roots.insert(sum->roots.end(), other.roots.begin(), other.roots.end());
}

Finding merged(std::vector<Finding> same) {
  const auto example =
      std::max_element(same.begin(), same.end(), [](const Finding& a, const Finding& b) {
        return std::tuple(a.structures, a.members.size(), a.bytes) <
               std::tuple(b.structures, b.members.size(), b.bytes);
      });
  std::vector<VaryingPart> varying = varying_parts(same);
  std::vector<Share> shares = shares_of(same);
  Finding sum = std::move(*example);
  for (Finding& other : same)
    if (&other != &*example) add(&sum, other);
  sum.varying = std::move(varying);
  sum.shares = std::move(shares);
  std::sort(sum.roots.begin(), sum.roots.end());
  if (sum.roots.size() > Finding::kMostRoots) sum.roots.resize(Finding::kMostRoots);
  return sum;
}

}  // namespace

std::vector<const Member*> lost_members(const Finding& finding) {
  std::vector<const Member*> members;
  const size_t length = std::max<size_t>(finding.cycle_length, 1);
  for (size_t i = 0; i < finding.members.size() && i < length; ++i) {
    const Member* member = &finding.members[i];
    // A part stands first where the object has a higher address than it.
    if (finding.cycle_length == 0 && member->part_of >= 0)
      member = &finding.members[static_cast<size_t>(member->part_of)];
    members.push_back(member);
  }
  return members;
}

std::vector<Finding> merge_alike(const Snapshot& snapshot, const Types& types, SharedFiles files,
                                 std::vector<Finding> findings) {
  Keys keys(snapshot, types, std::move(files));
  std::vector<std::vector<Finding>> groups;
  std::map<Key, size_t> numbers;
  for (Finding& finding : findings) {
    const std::optional<Key> key = keys.of(finding);
    const size_t next = groups.size();
    const size_t at = key ? numbers.try_emplace(*key, next).first->second : next;
    if (at == next) groups.emplace_back();
    groups[at].push_back(std::move(finding));
  }
  findings.clear();
  for (std::vector<Finding>& same : groups)
    findings.push_back(same.size() == 1 ? std::move(same[0]) : merged(std::move(same)));
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.bytes, a.blocks) > std::tie(b.bytes, b.blocks);
  });
  uint64_t id = 0;
  for (Finding& finding : findings) finding.id = ++id;
  return findings;
}

}  // namespace heaprake::cli
