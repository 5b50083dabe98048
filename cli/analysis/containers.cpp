#include "cli/analysis/containers.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "cli/text.h"

namespace heaprake::cli {

namespace {

constexpr uint32_t kNoBlock = UINT32_MAX;
constexpr uint32_t kAll = UINT32_MAX;  // link_bytes of a part without values
constexpr uint64_t kMostNodes = 20'000'000;

class Recogniser {
 public:
  Recogniser(const Snapshot& snapshot, uint32_t block)
      : s_(snapshot),
        block_(block),
        base_(snapshot.address[block]),
        words_(snapshot.words_of(block).all()) {}

  std::vector<Container> run() {
    std::vector<Container> found;
    for (size_t i = 0; i + 2 < words_.size();) {
      std::optional<Container> container = at(i);
      if (!container) {
        ++i;
        continue;
      }
      container->owner = block_;
      container->offset = static_cast<uint32_t>(i * 8);
      i += container->bytes / 8;
      found.push_back(std::move(*container));
    }
    return found;
  }

 private:
  using Maybe = std::optional<Container>;

  // Those with more words first: they prove more.
  Maybe at(size_t i) const {
    for (auto look : {&Recogniser::deque, &Recogniser::hash_table, &Recogniser::tree,
                      &Recogniser::libcxx_tree, &Recogniser::small_string, &Recogniser::list,
                      &Recogniser::string, &Recogniser::libcxx_string, &Recogniser::vector}) {
      Maybe container = (this->*look)(i);
      if (container) return container;
    }
    return std::nullopt;
  }

  bool has(size_t i, size_t count) const { return i + count <= words_.size(); }
  uint64_t address_of(size_t i) const { return base_ + i * 8; }

  // The lost block that starts there.
  uint32_t block_at(uint64_t address) const {
    if (address == 0 || address % 16 != 0) return kNoBlock;
    const uint32_t block = s_.block_at(address);
    if (block == kNoBlock || s_.address[block] != address || s_.reachable(block)) return kNoBlock;
    return block;
  }
  std::optional<uint64_t> word(uint32_t block, size_t i) const {
    const PackedWords words = s_.words_of(block);
    return i < words.size() ? std::optional<uint64_t>(words[i]) : std::nullopt;
  }

  // {compare, colour of the header, root, leftmost, rightmost, count}
  Maybe tree(size_t i) const {
    if (!has(i, 6) || (words_[i + 1] & UINT32_MAX) != 0) return std::nullopt;
    const uint64_t header = address_of(i + 1);
    const uint64_t root = words_[i + 2], left = words_[i + 3], right = words_[i + 4];
    Container map{"std::map or set", "nodes", "std::_Rb_tree", 0, 0, 48, words_[i + 5], 0, {}};
    if (root == 0 && left == header && right == header && map.entries == 0) return map;
    if (root == 0 || map.entries == 0 || map.entries > kMostNodes) return std::nullopt;
    const Links links{1, 2, 3, 32};
    if (!walk_tree(root, header, links, map.entries, &map.parts)) return std::nullopt;
    // The outermost nodes are those that the header names.
    if (word_of(left, 2) != 0 || word_of(right, 3) != 0) return std::nullopt;
    return map;
  }

  // libc++: {first node, root, count}; a node is {left, right, parent, colour}, and the root's
  // parent is the place of the root's address.
  Maybe libcxx_tree(size_t i) const {
    if (!has(i, 3)) return std::nullopt;
    const uint64_t header = address_of(i + 1), root = words_[i + 1];
    Container map{"std::map or set", "nodes", "std::__tree", 0, 0, 24, words_[i + 2], 0, {}};
    if (root == 0 && words_[i] == header && map.entries == 0) return map;
    if (root == 0 || map.entries == 0 || map.entries > kMostNodes) return std::nullopt;
    if (!walk_tree(root, header, {2, 0, 1, 32}, map.entries, &map.parts)) return std::nullopt;
    if (word_of(words_[i], 0) != 0) return std::nullopt;
    return map;
  }

  struct Links {
    size_t parent, left, right;  // word of a node
    uint32_t bytes;
  };

  std::optional<uint64_t> word_of(uint64_t node, size_t i) const {
    const uint32_t block = block_at(node);
    return block == kNoBlock ? std::nullopt : word(block, i);
  }

  bool walk_tree(uint64_t root, uint64_t header, const Links& links, uint64_t count,
                 std::vector<ContainerPart>* parts) const {
    struct Step {
      uint64_t node, parent;
    };
    std::vector<Step> open = {{root, header}};
    while (!open.empty()) {
      const Step step = open.back();
      open.pop_back();
      const uint32_t block = block_at(step.node);
      if (block == kNoBlock || parts->size() == count || word(block, links.parent) != step.parent)
        return false;
      parts->push_back({block, links.bytes});
      for (size_t side : {links.left, links.right}) {
        const std::optional<uint64_t> child = word(block, side);
        if (!child) return false;
        if (*child != 0) open.push_back({*child, step.node});
      }
    }
    return parts->size() == count;
  }

  // {next, previous, count}, a ring through the nodes; libc++ has the two links the other way
  // round, which is the same ring.
  Maybe list(size_t i) const {
    if (!has(i, 3)) return std::nullopt;
    const uint64_t header = address_of(i), next = words_[i], previous = words_[i + 1];
    Container list{"std::list", "nodes", "", 0, 0, 24, words_[i + 2], 0, {}};
    if (next == header && previous == header && list.entries == 0) return list;
    if (list.entries == 0 || list.entries > kMostNodes) return std::nullopt;
    uint64_t before = header;
    for (uint64_t at = next; at != header; at = *word(list.parts.back().block, 0)) {
      const uint32_t block = block_at(at);
      if (block == kNoBlock || list.parts.size() == list.entries || word(block, 1) != before)
        return std::nullopt;
      list.parts.push_back({block, 16});
      before = at;
    }
    if (list.parts.size() != list.entries || previous != before) return std::nullopt;
    return list;
  }

  // {buckets, their number, first node, count, greatest load}; libstdc++ also has {number of
  // entries at which it grows, the only bucket of a small one}.
  Maybe hash_table(size_t i) const {
    if (!has(i, 5)) return std::nullopt;
    const auto load = std::bit_cast<float>(static_cast<uint32_t>(words_[i + 4]));
    const uint64_t buckets = words_[i], number = words_[i + 1];
    if (!(load > 0.01f && load < 1000.0f) || number == 0) return std::nullopt;
    Container table{"std::unordered_map or set", "nodes", "", 0, 0, 0, words_[i + 3], 0, {}};
    if ((table.entries == 0) != (words_[i + 2] == 0) || table.entries > kMostNodes)
      return std::nullopt;
    const uint32_t block = block_at(buckets);
    const bool own_bucket = has(i, 7) && number == 1 && buckets == address_of(i + 6);
    if (!own_bucket && (block == kNoBlock || s_.requested[block] != number * 8))
      return std::nullopt;
    if (!own_bucket) table.parts.push_back({block, kAll});
    // libc++'s is the one whose next words are something else; neither has pointers there.
    table.bytes = own_bucket ? 56 : 40;
    const size_t nodes = table.parts.size() + table.entries;
    for (uint64_t at = words_[i + 2]; at != 0; at = *word(table.parts.back().block, 0)) {
      const uint32_t node = block_at(at);
      if (node == kNoBlock || table.parts.size() == nodes || !word(node, 0)) return std::nullopt;
      table.parts.push_back({node, 8});
    }
    if (table.parts.size() != nodes) return std::nullopt;
    return table;
  }

  // {map, its number, first {now, begin, end, place in the map}, last {the same}}
  Maybe deque(size_t i) const {
    if (!has(i, 10)) return std::nullopt;
    const uint64_t map = words_[i], number = words_[i + 1];
    const uint32_t block = block_at(map);
    if (block == kNoBlock || number == 0 || s_.requested[block] != number * 8) return std::nullopt;
    const uint64_t* first = &words_[i + 2];
    const uint64_t* last = &words_[i + 6];
    const uint64_t chunk = first[2] - first[1];
    if (chunk == 0 || last[2] - last[1] != chunk || first[3] < map || first[3] > last[3] ||
        last[3] - map >= number * 8 || (first[3] - map) % 8 != 0)
      return std::nullopt;
    Container deque{"std::deque", "elements", "", 0, 0, 80, 0, 0, {{block, kAll}}};
    for (uint64_t at = first[3]; at <= last[3]; at += 8) {
      const uint32_t part = chunk_at(block, at - map);
      if (part == kNoBlock || s_.requested[part] != chunk) return std::nullopt;
      deque.parts.push_back({part, 0});
    }
    if (s_.address[deque.parts[1].block] != first[1]) return std::nullopt;
    deque.used = (last[3] - first[3]) / 8 * chunk + (last[0] - last[1]) - (first[0] - first[1]);
    return deque;
  }

  // What the map names at an offset; by its references, since words are known of its start only.
  uint32_t chunk_at(uint32_t map, uint64_t offset) const {
    const std::span<const BlockEdge> edges = s_.edges_of(map);
    const auto edge =
        std::lower_bound(edges.begin(), edges.end(), offset,
                         [](const BlockEdge& e, uint64_t place) { return e.offset < place; });
    if (edge == edges.end() || edge->offset != offset || edge->inner != 0) return kNoBlock;
    return s_.reachable(edge->to) ? kNoBlock : edge->to;
  }

  // {begin, end, end of storage}
  Maybe vector(size_t i) const {
    if (!has(i, 3)) return std::nullopt;
    const uint64_t begin = words_[i], end = words_[i + 1], limit = words_[i + 2];
    const uint32_t block = block_at(begin);
    if (block == kNoBlock || block == block_ || end < begin || limit < end ||
        limit - begin != s_.requested[block] || limit == begin)
      return std::nullopt;
    return Container{"std::vector", "elements", "", 0, 0, 24, 0, end - begin, {{block, 0}}};
  }

  // {characters, length, capacity}; one byte more than the capacity is allocated.
  Maybe string(size_t i) const {
    if (!has(i, 3)) return std::nullopt;
    return characters(words_[i], words_[i + 1], words_[i + 2] + 1, 32);
  }

  // libc++: {allocated bytes, and a bit that says so, length, characters}
  Maybe libcxx_string(size_t i) const {
    if (!has(i, 3) || (words_[i] & 1) == 0) return std::nullopt;
    return characters(words_[i + 2], words_[i + 1], words_[i] & ~uint64_t{1}, 24);
  }

  Maybe characters(uint64_t text, uint64_t length, uint64_t allocated, uint32_t bytes) const {
    const uint32_t block = block_at(text);
    if (block == kNoBlock || block == block_ || length >= allocated ||
        s_.requested[block] != allocated || allocated < 17)
      return std::nullopt;
    // The text ends with a NUL, as far as it is known.
    const std::optional<uint64_t> last = word(block, length / 8);
    if (last && (*last >> (length % 8 * 8) & 0xff) != 0) return std::nullopt;
    return Container{"std::string", "characters", "", 0, 0, bytes, length, 0, {{block, kAll}}};
  }

  // A text of up to fifteen characters stands in the string itself, which therefore refers to
  // itself.
  Maybe small_string(size_t i) const {
    if (!has(i, 4) || words_[i] != address_of(i + 2) || words_[i + 1] > 15) return std::nullopt;
    const uint64_t length = words_[i + 1];
    if ((words_[i + 2 + length / 8] >> (length % 8 * 8) & 0xff) != 0) return std::nullopt;
    return Container{"std::string", "characters", "", 0, 0, 32, length, 0, {}};
  }

  const Snapshot& s_;
  uint32_t block_;
  uint64_t base_;
  const std::vector<uint64_t> words_;
};

}  // namespace

std::string name_of(const Container& container, std::string_view kind) {
  const std::string what = container.what;
  std::string name(kind.empty() ? container.kind : kind);
  if (what == "characters")
    name += " of " + counted(container.entries, "character");
  else if (container.used > 0)
    name += " of " + counted(container.used, "byte");
  else if (container.entries == 1)
    name += " of 1 entry";
  else
    name += " of " + grouped(container.entries) + " entries";
  return *container.note ? name + " (" + container.note + ")" : name;
}

std::vector<Container> containers_in(const Snapshot& snapshot, uint32_t block) {
  return Recogniser(snapshot, block).run();
}

}  // namespace heaprake::cli
