#include "cli/analysis/wording.h"

#include <algorithm>
#include <iterator>

#include "cli/text.h"

namespace heaprake::cli {

namespace {

// Rings of more than so many blocks are not spelt out.
constexpr uint32_t kSpeltOut = 4;

// Lone blocks of one place in the program, which differ in nothing but their sizes.
std::string sizes(const Finding& finding) {
  return "blocks of " + grouped(finding.fewest_bytes) + " to " +
         counted(finding.most_bytes, "byte");
}

// As what holds a pointer: a container's elements say whose they are.
std::string holder(const Member& member) {
  return member.part_of < 0 || member.role.empty() ? called(member) : "the " + member.role;
}

}  // namespace

std::string called(const Member& member) {
  return member.type.empty() ? "block of " + counted(member.size, "byte") : member.type;
}

// "Parent <-> Child", "A -> B -> C -> A"
std::string Wording::ring() const {
  const uint32_t length = example_.cycle_length;
  const std::vector<Member>& members = finding_.members;
  const auto same = [&](const Member& member) { return called(member) == called(members[0]); };
  const auto end = members.begin() + std::min<ptrdiff_t>(length, std::ssize(members));
  if (length == 2 && members.size() >= 2) return called(members[0]) + " <-> " + called(members[1]);
  if (std::all_of(members.begin(), end, same)) return "all " + called(members[0]);
  std::string text;
  for (uint32_t i = 0; i < std::min(length, kSpeltOut) && i < members.size(); ++i)
    text += called(members[i]) + " -> ";
  return text + (length > kSpeltOut ? "..." : called(members[0]));
}

std::string Wording::title() const {
  if (finding_.members.empty()) return name_of(finding_.shape);
  const uint32_t length = example_.cycle_length;
  // A control block stands for its object.
  const int32_t part_of = finding_.members[0].part_of;
  const Member& whole = finding_.members[part_of < 0 ? 0 : static_cast<size_t>(part_of)];
  const std::string first = called(whole);
  if (length == 1) return first + " that refers to itself";
  if (length > 1) return "cycle of " + grouped(length) + ": " + ring();
  // What is told apart from the first member; its own parts are not.
  uint64_t others = structure_.blocks() - whole.folded_blocks;
  for (const Member& member : finding_.members)
    if (member.part_of >= 0) others -= std::min(others, member.folded_blocks);
  if (finding_.shape == Shape::kBlock && whole.type.empty() &&
      finding_.fewest_bytes != finding_.most_bytes)
    return sizes(finding_);
  if (others == 0) return first;
  return first + " and " + counted(others, "block") + " below it";
}

std::string Wording::advice() const {
  for (const Member& member : finding_.members) {
    if (member.verdict.find("a release is missing") != std::string::npos)
      return called(member) +
             " has more owners by its count than were found: a shared_ptr to it "
             "has gone without its destructor, or lies where nothing was scanned";
  }
  if (example_.closing_edge < 0 || example_.cycle_length == 0) return "";
  const FindingEdge& edge = finding_.edges[static_cast<size_t>(example_.closing_edge)];
  if (finding_.members[edge.to].count) return weak_advice();
  return "nothing outside knows the cycle any more: free it before the last reference to it goes, "
         "or cut it at " +
         place_of(edge) + ", which leads back to " + target_of(edge);
}

// Without debug information nothing tells a unique_ptr, or what a std::function holds, from it.
bool Wording::may_be_plain(size_t edge) const {
  const BlockEdge& word = example_.edges[edge].word;
  const uint32_t block = example_.members[example_.edges[edge].from].block;
  const Type& type = types_.type(block);
  if (types_.of[block] == 0 || word.offset < type.object_offset()) return true;
  const uint64_t place = word.offset - type.object_offset();
  return fields_.at(type, place).empty() || fields_.pointer_at(type, place) == SmartPointer::kPlain;
}

// An edge of the cycle that may be a plain pointer, which owns nothing: it leads to an object that
// no shared_ptr has ever owned. Nothing if there is none.
std::optional<size_t> Wording::doubtful_owner() const {
  for (size_t to = 0; to < example_.cycle_length && to < finding_.members.size(); ++to) {
    if (finding_.members[to].count) continue;
    const size_t before = (to == 0 ? example_.cycle_length : to) - 1;
    std::optional<size_t> doubtful;
    for (size_t i = 0; i < finding_.edges.size(); ++i) {
      const FindingEdge& edge = finding_.edges[i];
      const int32_t part_of = finding_.members[edge.from].part_of;
      const bool of_cycle =
          edge.from == before || (part_of >= 0 && static_cast<size_t>(part_of) == before);
      if (edge.to != to || edge.weak || !of_cycle) continue;
      if (!may_be_plain(i)) {
        doubtful.reset();
        break;
      }
      if (!doubtful) doubtful = i;
    }
    if (doubtful) return doubtful;
  }
  return std::nullopt;
}

// What closes the cycle is a shared_ptr, as far as anything can tell.
std::string Wording::weak_advice() const {
  const FindingEdge& edge = finding_.edges[static_cast<size_t>(example_.closing_edge)];
  const uint32_t block = example_.members[edge.from].block;
  const BlockEdge& word = example_.edges[static_cast<size_t>(example_.closing_edge)].word;
  if (const std::optional<size_t> doubtful = doubtful_owner()) {
    const FindingEdge& plain = finding_.edges[*doubtful];
    return "if " + place_of(plain) + " owns " + target_of(plain) + ", make " + place_of(edge) +
           ", which leads back to " + target_of(edge) + ", a std::weak_ptr; if it does not, " +
           target_of(plain) + " has been forgotten: free it";
  }
  std::string text = "each keeps the next one alive; make " + place_of(edge) +
                     ", which leads back to " + target_of(edge) + ", a std::weak_ptr";
  if (folding_.owners().of(block, word) == Hold::kEither)
    text += ", or whichever else leads there if it is one already (one is, by the counts)";
  else if (edge.from == edge.to && folding_.owners().is_presumed(block))
    text += " (the first that leads there is taken for enable_shared_from_this's)";
  return text;
}

std::string Wording::pointer(const FindingEdge& edge) const {
  return edge.field.empty() ? "the pointer at offset " + grouped(edge.offset) : edge.field;
}

// Two that are called the same are told apart.
std::string Wording::place_of(const FindingEdge& edge) const {
  const Member& member = finding_.members[edge.from];
  const std::string from = holder(member);
  // A pointer in a block of its own.
  if (edge.field.empty() && member.type.starts_with("std::shared_ptr<")) return "the " + from;
  const bool alike = edge.from != edge.to && from == called(finding_.members[edge.to]);
  const char* which = !alike ? "" : example_.cycle_length == 2 ? "one " : "the last ";
  return pointer(edge) + " of " + which + from;
}

std::string Wording::target_of(const FindingEdge& edge) const {
  if (edge.from == edge.to) return "itself";
  const std::string to = called(finding_.members[edge.to]);
  if (holder(finding_.members[edge.from]) != to) return to;
  return example_.cycle_length == 2 ? "the other" : "the first";
}

}  // namespace heaprake::cli
