#include "cli/analysis/example.h"

#include <algorithm>
#include <span>
#include <unordered_map>
#include <unordered_set>

namespace heaprake::cli {

namespace {

// So many blocks are tried as the start of a cycle.
constexpr size_t kMostStarts = 64;
// And no further one once so many references have been looked at.
constexpr uint64_t kMostLooks = 4'000'000;
// A sample of a dense structure's references tells as much as all of them.
constexpr size_t kMostEdges = 10'000;

class Builder {
 public:
  Builder(const Snapshot& snapshot, const Structures& structures, const Structure& structure,
          const Folding& folding, uint32_t limit)
      : snapshot_(snapshot),
        structures_(structures),
        nodes_(structures.order.data() + structure.begin, structure.blocks()),
        root_(nodes_.first(structure.root_blocks)),
        folding_(folding),
        limit_(limit) {}

  Example run(bool cyclic) {
    if (cyclic) find_cycle();
    for (uint32_t node : nodes_) show(structures_.block_of[node]);
    for (uint32_t node : nodes_) add_edges(structures_.block_of[node]);
    return std::move(example_);
  }

 private:
  // Wholes of the root component, each with its blocks.
  using Wholes = std::unordered_map<uint32_t, std::vector<uint32_t>>;

  void find_cycle() {
    Wholes wholes;
    for (uint32_t node : root_) {
      const uint32_t block = structures_.block_of[node];
      wholes[folding_.whole_of(block)].push_back(block);
    }
    std::vector<uint32_t> starts;
    starts.reserve(wholes.size());
    for (const auto& [whole, blocks] : wholes) starts.push_back(whole);
    std::sort(starts.begin(), starts.end(), [this](uint32_t a, uint32_t b) {
      const auto age = [this](uint32_t block) {
        return std::pair(snapshot_.time_ms[block], block);
      };
      return age(a) < age(b);
    });
    if (starts.size() > kMostStarts) {
      starts.resize(kMostStarts);
      example_.searched = false;
    }
    // Of shared_ptrs alone, rather: those keep each other alive, whatever the others are.
    if (!find_cycle_from(wholes, starts, true)) find_cycle_from(wholes, starts, false);
  }

  bool find_cycle_from(const Wholes& wholes, const std::vector<uint32_t>& starts, bool of_owners) {
    looks_ = 0;
    for (uint32_t start : starts) {
      if (looks_ > kMostLooks) {
        example_.searched = false;
        return false;
      }
      std::vector<uint32_t> cycle = shortest_cycle(wholes, start, of_owners);
      if (cycle.empty()) continue;
      lead_back_by_owner(wholes, &cycle);
      example_.cycle_length = static_cast<uint32_t>(cycle.size());
      example_.searched = true;
      for (uint32_t block : cycle) {
        if (example_.members.size() < limit_) show(block);
      }
      show_way_back(wholes, cycle);
      return true;
    }
    return false;
  }

  // What leads back may stand in a part of the last one, a vector's elements: it is a member too.
  void show_way_back(const Wholes& wholes, const std::vector<uint32_t>& cycle) {
    uint32_t way = cycle.back();
    bool owner = false, any = false;
    for (uint32_t block : wholes.at(cycle.back())) {
      for (const BlockEdge& edge : edges_of(block)) {
        if (folding_.whole_of(edge.to) != cycle.front() || !keeps_alive(block, edge)) continue;
        const bool owns = is_owner(block, edge);
        if (any && (owner || !owns)) continue;
        way = block;
        any = true;
        owner = owns;
      }
    }
    if (example_.members.size() < limit_) show(way);
  }

  std::span<const BlockEdge> edges_of(uint32_t block) const {
    return structures_.stale.live_edges(snapshot_, block);
  }

  // What leads to a part of something keeps nothing else of it alive: an iterator, a view of a
  // text.
  bool leads_to_whole(const BlockEdge& edge) const {
    return folding_.whole_of(edge.to) == edge.to || folding_.is_control_block(edge.to);
  }

  bool keeps_alive(uint32_t block, const BlockEdge& edge) const {
    return !folding_.is_internal(block, edge) && leads_to_whole(edge) &&
           folding_.owners().of(block, edge) != Hold::kWeak;
  }

  bool is_owner(uint32_t block, const BlockEdge& edge) const {
    const Hold hold = folding_.owners().of(block, edge);
    return hold == Hold::kOwner || hold == Hold::kEither;
  }

  bool owns(const Wholes& wholes, uint32_t from, uint32_t to, bool by_name) const {
    for (uint32_t block : wholes.at(from))
      for (const BlockEdge& edge : edges_of(block))
        if (folding_.whole_of(edge.to) == to && is_owner(block, edge) &&
            (!by_name || folding_.is_called_back(block, edge.offset)))
          return true;
    return false;
  }

  // What can be made weak is a shared_ptr: the way back is one if there is any in the cycle, rather
  // one whose name says so. Ages tell little of what was made in one millisecond.
  void lead_back_by_owner(const Wholes& wholes, std::vector<uint32_t>* cycle) const {
    for (const bool by_name : {true, false}) {
      for (auto first = cycle->begin(); first != cycle->end(); ++first) {
        const uint32_t last = first == cycle->begin() ? cycle->back() : *(first - 1);
        if (!owns(wholes, last, *first, by_name)) continue;
        std::rotate(cycle->begin(), first, cycle->end());
        return;
      }
    }
  }

  // By breadth-first search from `start` until a reference leads back to it. Empty if there is
  // none.
  std::vector<uint32_t> shortest_cycle(const Wholes& wholes, uint32_t start, bool of_owners) {
    std::unordered_map<uint32_t, uint32_t> parent = {{start, start}};
    std::vector<uint32_t> queue = {start};
    for (size_t next = 0; next < queue.size(); ++next) {
      const uint32_t whole = queue[next];
      for (uint32_t block : wholes.at(whole)) {
        for (const BlockEdge& edge : edges_of(block)) {
          ++looks_;
          if (!keeps_alive(block, edge) || (of_owners && !is_owner(block, edge))) continue;
          const uint32_t target = folding_.whole_of(edge.to);
          if (target == start) return way_to(whole, start, parent);
          if (!wholes.contains(target) || !parent.try_emplace(target, whole).second) continue;
          queue.push_back(target);
        }
      }
    }
    return {};
  }

  static std::vector<uint32_t> way_to(uint32_t last, uint32_t start,
                                      const std::unordered_map<uint32_t, uint32_t>& parent) {
    std::vector<uint32_t> way;
    for (uint32_t at = last; at != start; at = parent.at(at)) way.push_back(at);
    way.push_back(start);
    std::reverse(way.begin(), way.end());
    return way;
  }

  // Gives the block a member, or counts it to the one that stands for it.
  void show(uint32_t block) {
    if (position_.contains(block)) return;
    const Container* container = folding_.container_of(block);
    if (container) {
      // What fills a block is told with it.
      const bool filled = folding_.filling(container->owner) == container;
      if (filled) show(container->owner);
      const auto owner = position_.find(container->owner);
      const auto standing = standing_.find(container);
      if (filled && owner != position_.end()) return join(block, owner->second);
      if (standing != standing_.end()) return join(block, standing->second);
    }
    if (example_.members.size() >= limit_) {
      ++example_.omitted;
      return;
    }
    const auto index = static_cast<uint32_t>(example_.members.size());
    position_[block] = index;
    if (container) standing_[container] = index;
    example_.members.push_back({block, container, 1, snapshot_.requested[block]});
  }

  void join(uint32_t block, uint32_t index) {
    position_[block] = index;
    ++example_.members[index].folded_blocks;
    example_.members[index].folded_bytes += snapshot_.requested[block];
  }

  void add_edges(uint32_t block) {
    const auto from = position_.find(block);
    if (from == position_.end()) return;
    for (const BlockEdge& edge : edges_of(block)) {
      const auto to = position_.find(edge.to);
      if (to != position_.end()) add_edge(block, from->second, to->second, edge);
    }
  }

  void add_edge(uint32_t block, uint32_t from, uint32_t to, const BlockEdge& edge) {
    const bool inside = folding_.is_internal(block, edge);
    const bool weak = folding_.owners().of(block, edge) == Hold::kWeak;
    const bool several =
        example_.members[from].folded_blocks > 1 || example_.members[to].folded_blocks > 1;
    // Of a container's own links the way from its owner into it is enough; of the references from
    // or to many blocks that one member stands for, one of each kind.
    if (inside && (from == to || example_.members[from].container)) return;
    // What enable_shared_from_this adds to its object is not the program's.
    if (weak && from == to) return;
    if ((inside || several) && !told_.insert(uint64_t{from} << 32 | to).second) return;
    const bool closing = !inside && !weak && leads_to_whole(edge) && leads_back(block, edge) &&
                         closes_better(is_owner(block, edge));
    if (!closing && example_.edges.size() >= kMostEdges) {
      ++example_.edges_omitted;
      return;
    }
    if (closing) example_.closing_edge = static_cast<int64_t>(example_.edges.size());
    example_.edges.push_back({from, to, edge, weak});
  }

  // From the last of the cycle, or what is part of it, to the first.
  bool leads_back(uint32_t block, const BlockEdge& edge) const {
    const auto from = position_.find(folding_.whole_of(block));
    const auto to = position_.find(folding_.whole_of(edge.to));
    return from != position_.end() && to != position_.end() &&
           from->second + 1 == example_.cycle_length && to->second == 0;
  }

  // The first edge that closes the cycle, but rather an owner.
  bool closes_better(bool owner) {
    if (closing_ && (closing_owns_ || !owner)) return false;
    closing_ = true;
    closing_owns_ = owner;
    return true;
  }

  const Snapshot& snapshot_;
  const Structures& structures_;
  std::span<const uint32_t> nodes_, root_;
  const Folding& folding_;
  uint32_t limit_;
  Example example_;
  std::unordered_map<uint32_t, uint32_t> position_;  // of blocks, in members
  std::unordered_map<const Container*, uint32_t> standing_;
  std::unordered_set<uint64_t> told_;
  uint64_t looks_ = 0;         // at references, for a cycle
  bool closing_ = false;       // there is a closing edge
  bool closing_owns_ = false;  // the closing edge is a shared_ptr
};

}  // namespace

Example example_of(const Snapshot& snapshot, const Structures& structures,
                   const Structure& structure, const Folding& folding, uint32_t limit) {
  return Builder(snapshot, structures, structure, folding, limit)
      .run(structure.shape == Shape::kCycle);
}

}  // namespace heaprake::cli
