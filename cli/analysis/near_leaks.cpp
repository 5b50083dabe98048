#include "cli/analysis/near_leaks.h"

#include <algorithm>
#include <unordered_set>

namespace heaprake::cli {

namespace {

// How a word leads into a block of a kind.
uint64_t manner(const Snapshot& snapshot, uint32_t block, uint64_t inner) {
  const uint64_t stack = snapshot.stack[block];
  const uint64_t kind = stack != 0 ? stack << 1 | 1 : snapshot.requested[block] << 1;
  return kind * 0x9e3779b97f4a7c15ull ^ inner;
}

class Search {
 public:
  explicit Search(const Snapshot& snapshot)
      : snapshot_(snapshot), reached_(snapshot.blocks(), false) {
    for (uint32_t block = 0; block < snapshot.blocks(); ++block) {
      for (const BlockEdge& edge : snapshot.edges_of(block))
        if (edge.inner != 0) usual_.insert(manner(snapshot, edge.to, edge.inner));
    }
  }

  void from(bool doubtful) {
    for (const RootReference& root : snapshot_.roots) {
      if (is_doubtful(root) == doubtful) reach(root.to);
    }
    while (!open_.empty()) {
      const uint32_t block = open_.back();
      open_.pop_back();
      for (const BlockEdge& edge : snapshot_.edges_of(block)) reach(edge.to);
    }
  }

  const std::vector<bool>& reached() const { return reached_; }

 private:
  bool is_doubtful(const RootReference& root) const {
    return root.inner != 0 && root.kind != GC_REFERENCE_PINNED &&
           !usual_.contains(manner(snapshot_, root.to, root.inner));
  }
  void reach(uint32_t block) {
    if (reached_[block]) return;
    reached_[block] = true;
    open_.push_back(block);
  }

  const Snapshot& snapshot_;
  std::unordered_set<uint64_t> usual_;
  std::vector<bool> reached_;
  std::vector<uint32_t> open_;
};

}  // namespace

std::vector<bool> near_leaks(const Snapshot& snapshot) {
  if (!(snapshot.header.flags & HEAPRAKE_SNAPSHOT_ALL)) return {};
  Search search(snapshot);
  search.from(false);
  const std::vector<bool> certain = search.reached();
  search.from(true);
  std::vector<bool> near(snapshot.blocks());
  for (uint32_t block = 0; block < snapshot.blocks(); ++block)
    near[block] = search.reached()[block] && !certain[block] && snapshot.reachable(block);
  return near;
}

}  // namespace heaprake::cli
