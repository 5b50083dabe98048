#include "cli/analysis/stale_words.h"

#include <algorithm>
#include <string_view>

#include "cli/analysis/containers.h"
#include "cli/analysis/folding.h"

namespace heaprake::cli {

namespace {

// Whether three words that look like a vector's are others': libc++'s deque has {start, first, end,
// end}, and an iterator of libstdc++'s {place, start, end, place of the start's address}.
bool is_of_deque(const Snapshot& snapshot, const Container& vector) {
  const PackedWords words = snapshot.words_of(vector.owner);
  const size_t next = vector.offset / 8 + 3;
  if (next >= words.size()) return false;
  if (words[next] == words[next - 1]) return true;
  const std::span<const BlockEdge> edges = snapshot.edges_of(vector.owner);
  const auto edge = std::find_if(edges.begin(), edges.end(),
                                 [&](const BlockEdge& at) { return at.offset == next * 8; });
  if (vector.used > 0 || edge == edges.end()) return false;
  for (const BlockEdge& place : snapshot.edges_of(edge->to))
    if (place.offset == edge->inner) return place.to == vector.parts[0].block && place.inner == 0;
  return false;
}

// {address of the third word, length, text}: a text of less than eight characters ends in the third
// word. Where that is an address itself it is no text.
bool is_before_stale_word(const Snapshot& snapshot, uint32_t block, const BlockEdge& edge,
                          const BlockEdge& next) {
  if (edge.to != block || edge.inner != uint64_t{edge.offset} + 16 || edge.offset % 8 != 0 ||
      next.offset != uint64_t{edge.offset} + 24)
    return false;
  const PackedWords words = snapshot.words_of(block);
  const size_t at = edge.offset / 8;
  if (at + 2 >= words.size() || words[at + 1] > 7) return false;
  return (words[at + 2] >> (words[at + 1] * 8) & 0xff) == 0;
}

bool uses_libcxx(const Snapshot& snapshot) {
  return std::any_of(snapshot.modules.begin(), snapshot.modules.end(), [](const Module& module) {
    return std::string_view(module.path).substr(module.path.rfind('/') + 1).starts_with("libc++.");
  });
}

// Whether two words are the beginning of a short text of libc++, which leaves the third one as it
// was: twice its length, and so many characters. Those of one character and of none are like other
// numbers.
bool is_short_text_of_libcxx(uint64_t first, uint64_t second) {
  const uint64_t length = (first & 0xff) / 2;
  if (first & 1 || length < 2 || length > 14) return false;
  const auto byte = [&](uint64_t i) { return (i < 8 ? first : second) >> (i % 8 * 8) & 0xff; };
  for (uint64_t i = 1; i <= length; ++i)
    if (byte(i) < ' ' || byte(i) > '~') return false;
  return byte(length + 1) == 0;
}

}  // namespace

StaleWords::StaleWords(const Snapshot& snapshot, const std::vector<bool>& lost, const Types* types)
    : libcxx_(uses_libcxx(snapshot)) {
  for (uint32_t block = 0; block < snapshot.blocks(); ++block) {
    if (!lost[block]) continue;
    look_at_containers(snapshot, lost, block);
    if (types) look_at_control_block(snapshot, *types, block);
  }
  for (uint32_t block = 0; block < snapshot.blocks(); ++block)
    if (lost[block]) look_at_short_texts(snapshot, block);
}

std::span<const BlockEdge> StaleWords::live_edges(const Snapshot& snapshot, uint32_t block) const {
  if (const auto kept = kept_.find(block); kept != kept_.end()) return kept->second;
  const std::span<const BlockEdge> edges = snapshot.edges_of(block);
  if (from_.empty()) return edges;
  const auto from = from_.find(block);
  if (from == from_.end()) return edges;
  const auto end =
      std::lower_bound(edges.begin(), edges.end(), from->second,
                       [](const BlockEdge& edge, uint32_t offset) { return edge.offset < offset; });
  return edges.first(static_cast<size_t>(end - edges.begin()));
}

// Three words may look like a vector's and be a deque's: only what is recognised counts, and that
// is asked for only where words could be one's.
void StaleWords::look_at_containers(const Snapshot& snapshot, const std::vector<bool>& lost,
                                    uint32_t block) {
  const PackedWords words = snapshot.words_of(block);
  const auto could_be = [&](const BlockEdge& edge) {
    // Where nothing leads on there is nothing to leave out.
    if (edge.inner != 0 || edge.to == block || !lost[edge.to] ||
        snapshot.edges_of(edge.to).empty() || edge.offset / 8 >= words.size())
      return false;
    const size_t at = edge.offset / 8;
    const uint64_t requested = snapshot.requested[edge.to];
    // libc++'s string: its characters come last, its capacity and a bit first.
    if (at >= 2 && words[at - 2] == (requested | 1)) return true;
    // A deque's map, and its first place that is in use.
    if (at + 9 < words.size() && words[at + 1] == requested / 8 &&
        words[at + 5] - words[at] < requested)
      return true;
    if (at + 2 >= words.size()) return false;
    const uint64_t last = words[at + 2];
    return last == snapshot.address[edge.to] + requested || last + 1 == requested;
  };
  const std::span<const BlockEdge> edges = snapshot.edges_of(block);
  if (std::none_of(edges.begin(), edges.end(), could_be)) return;
  for (const Container& container : containers_in(snapshot, block)) {
    if (container.kind == std::string_view("std::deque")) look_at_deque(snapshot, container);
    if (container.parts.size() != 1) continue;
    const uint32_t part = container.parts[0].block;
    if (container.kind == std::string_view("std::vector") && !is_of_deque(snapshot, container))
      add(snapshot, part, container.used);
    // A text may look like an address as well.
    if (container.kind == std::string_view("std::string")) add(snapshot, part, 0);
  }
}

// {map, its number, first {now, begin, end, place in the map}, last {the same}}
void StaleWords::look_at_deque(const Snapshot& snapshot, const Container& deque) {
  const PackedWords all = snapshot.words_of(deque.owner);
  const auto word = [&](size_t i) { return all[deque.offset / 8 + i]; };
  const uint64_t map = word(0), chunk = word(4) - word(3);
  const uint64_t begin = word(2) - word(3), end = word(6) - word(7);
  if (begin > chunk || end > chunk) return;
  keep(snapshot, deque.parts[0].block, word(5) - map, word(9) - map + 8);
  keep(snapshot, deque.parts[1].block, begin, deque.parts.size() == 2 ? end : chunk);
  if (deque.parts.size() > 2) keep(snapshot, deque.parts.back().block, 0, end);
}

// Those of libstdc++, and of libc++ if the program uses that.
void StaleWords::look_at_short_texts(const Snapshot& snapshot, uint32_t block) {
  const std::span<const BlockEdge> edges = live_edges(snapshot, block);
  std::vector<uint64_t> stale;
  for (size_t i = 0; i < edges.size(); ++i) {
    const BlockEdge& edge = edges[i];
    if (i + 1 < edges.size() && is_before_stale_word(snapshot, block, edge, edges[i + 1]))
      stale.push_back(edges[i + 1].offset);
    if (libcxx_ && edge.offset >= 16 && edge.offset % 8 == 0) {
      const PackedWords words = snapshot.words_of(block);
      const size_t at = edge.offset / 8 - 2;
      if (at + 2 < words.size() && is_short_text_of_libcxx(words[at], words[at + 1]))
        stale.push_back(edge.offset);
    }
  }
  if (stale.empty()) return;
  std::sort(stale.begin(), stale.end());
  std::vector<BlockEdge> kept;
  for (const BlockEdge& edge : edges)
    if (!std::binary_search(stale.begin(), stale.end(), edge.offset)) kept.push_back(edge);
  kept_[block] = std::move(kept);
}

// A deleter or an allocator that a control block holds lives until the last weak_ptr goes: these
// are left alone.
void StaleWords::look_at_control_block(const Snapshot& snapshot, const Types& types,
                                       uint32_t block) {
  const std::optional<OwnerCounts> counts = counts_of(snapshot, types, block);
  if (!counts || counts->owners != 0) return;
  const Type& type = types.type(block);
  if (type.control->inplace && !type.control->has_allocator)
    add(snapshot, block, type.control->offset);
}

// The references in these bytes alone.
void StaleWords::keep(const Snapshot& snapshot, uint32_t block, uint64_t begin, uint64_t end) {
  const std::span<const BlockEdge> edges = live_edges(snapshot, block);
  std::vector<BlockEdge> kept;
  for (const BlockEdge& edge : edges)
    if (edge.offset >= begin && edge.offset < end) kept.push_back(edge);
  if (kept.size() < edges.size()) kept_[block] = std::move(kept);
}

void StaleWords::add(const Snapshot& snapshot, uint32_t block, uint64_t from) {
  const std::span<const BlockEdge> edges = snapshot.edges_of(block);
  if (edges.empty() || edges.back().offset < from || from >= UINT32_MAX) return;
  // Where two say something else of it, the one that has more in use is right.
  const auto [at, fresh] = from_.try_emplace(block, static_cast<uint32_t>(from));
  if (!fresh) at->second = std::max(at->second, static_cast<uint32_t>(from));
}

}  // namespace heaprake::cli
