#include "cli/analysis/weak_words.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "cli/analysis/container_kinds.h"

namespace heaprake::cli {

namespace {

constexpr uint32_t kNoBlock = UINT32_MAX;

// A word that refers to a control block's start, as a pointer's second one does.
struct Word {
  uint32_t control;
  uint32_t from;    // kNoBlock: a root
  uint32_t offset;  // in that block
  uint64_t index;   // of the edge or root
  // The first such word of the object itself: enable_shared_from_this's, if there is a weak_ptr.
  bool is_own;
};

enum class Control : uint8_t {
  kNone,   // it is none
  kPlain,  // it has no weak pointers
  kOpen,   // some pointers to it may be weak, not all of them
  kOwned,  // what is not known to be weak is an owner
  kWeak,   // what is not known to be an owner is weak
};

// Whether an object refers to its control block.
enum class Own : uint8_t { kNone, kSeen, kPresumed };

// The class of a member function: "std::vector<A>" of "void std::vector<A>::push_back<B>(B&&)".
std::string class_of(std::string function) {
  constexpr std::string_view kUnnamed = "(anonymous namespace)";
  for (size_t at; (at = function.find(kUnnamed)) != std::string::npos;)
    function.erase(at, kUnnamed.size());
  int depth = 0;
  size_t begin = 0, end = 0;
  for (size_t i = 0; i < function.size(); ++i) {
    const char c = function[i];
    if (c == '(' && depth == 0) break;
    if (c == '<' || c == '(') ++depth;
    if (c == '>' || c == ')') --depth;
    if (depth != 0) continue;
    if (c == ' ') begin = end = i + 1;
    if (c == ':') end = i;
  }
  return function.substr(begin, end - begin);
}

}  // namespace

SmartPointer elements_by_call(const std::string& function) {
  const std::string scope = class_of(function);
  const auto has = [&](std::string_view text) { return scope.find(text) != std::string::npos; };
  const bool weak = has("weak_ptr<"), shared = has("shared_ptr<");
  // What a function's type names need not be in an object of it.
  if (weak == shared || has("(") || has("{")) return SmartPointer::kUnknown;
  return weak ? SmartPointer::kWeak : SmartPointer::kShared;
}

class WeakWords::Search {
 public:
  Search(const Names& names, WeakWords* found)
      : names_(names), snapshot_(names.snapshot), types_(names.types), found_(found) {}

  void run() {
    if (!find_controls()) return;
    owns_.resize(snapshot_.blocks(), Own::kNone);
    counts_.resize(snapshot_.blocks());
    for_each_word([this](const Word& word) {
      if (word.is_own) owns_[word.control] = Own::kSeen;
    });
    count();
    if (open_ > 0) compare();
    if (presume()) {
      count();
      if (open_ > 0) compare();
    }
    found_->any_ = true;
    found_->edges_.resize(snapshot_.edges.size());
    found_->roots_.resize(snapshot_.roots.size());
    for_each_word([this](const Word& word) {
      if (is_weak(word)) mark(word);
    });
    mark_first_words_of_roots();
  }

 private:
  // As many as there are, or that is not known: libc++'s third word is not told of reachable
  // blocks.
  static constexpr int32_t kSome = 1'000'000'000;

  // What a block that begins with a control block says; nothing if it is no such one.
  std::optional<OwnerCounts> counts_at(uint32_t block) const {
    if (types_.sources[block] != TypeSource::kControlBlock) return std::nullopt;
    const std::optional<ControlBlock>& control = types_.type(block).control;
    const PackedWords words = snapshot_.words_of(block);
    if (!control || words.size() < 2) return std::nullopt;
    OwnerCounts counts = owner_counts(*control, words[1], words.size() > 2 ? words[2] : 0);
    if (words.size() == 2 && control->libcxx) counts.weak = kSome;
    // Such numbers are no counts.
    if (counts.owners < 0 || counts.weak < 0 || std::max(counts.owners, counts.weak) > kSome)
      return std::nullopt;
    return counts;
  }

  // Whether any may have weak_ptrs.
  bool find_controls() {
    bool any = false;
    for (uint32_t block = 0; block < snapshot_.blocks(); ++block) {
      const std::optional<OwnerCounts> counts = counts_at(block);
      if (!counts) continue;
      if (states_.empty()) states_.resize(snapshot_.blocks(), Control::kNone);
      states_[block] = counts->owners == 0 ? Control::kWeak
                       : counts->weak == 0 ? Control::kPlain
                                           : Control::kOpen;
      any = any || states_[block] != Control::kPlain;
    }
    return any;
  }

  template <class Take>
  void for_each_word(Take take) const {
    for (uint32_t from = 0; from < snapshot_.blocks(); ++from) {
      uint64_t index = snapshot_.edge_first[from];
      bool had_own = false;
      for (const BlockEdge& edge : snapshot_.edges_of(from)) {
        const uint64_t here = index++;
        if (edge.inner != 0 || states_[edge.to] == Control::kNone || edge.offset < 8 ||
            edge.offset == UINT32_MAX)
          continue;
        const bool is_own = !had_own && is_object_of(from, edge.to);
        had_own = had_own || is_own;
        take(Word{edge.to, from, edge.offset, here, is_own});
      }
    }
    for (size_t i = 0; i < snapshot_.roots.size(); ++i) {
      const RootReference& root = snapshot_.roots[i];
      // A register may hold one for a moment, and what functions have left behind is none.
      if (root.inner != 0 || states_[root.to] == Control::kNone ||
          root.kind == GC_REFERENCE_REGISTER || is_in_dead_frame(snapshot_, root))
        continue;
      take(Word{root.to, kNoBlock, 0, i, false});
    }
  }

  bool is_object_of(uint32_t block, uint32_t control) const {
    if (block == control) return true;
    const ControlBlock& known = *types_.type(control).control;
    if (known.inplace) return false;
    const uint64_t place = known.pointer_offset(snapshot_.requested[control]);
    for (const BlockEdge& edge : snapshot_.edges_of(control))
      if (edge.offset == place) return edge.to == block;
    return false;
  }

  // By its type, or by the functions that have allocated its block.
  SmartPointer kind_of(const Word& word) {
    if (word.from == kNoBlock) return SmartPointer::kUnknown;
    const Type& type = types_.type(word.from);
    const uint32_t number = types_.of[word.from];
    if (number != 0) {
      if (word.offset < type.object_offset()) return SmartPointer::kUnknown;
      const auto [known, fresh] =
          by_type_.try_emplace(uint64_t{number} << 32 | word.offset, SmartPointer::kUnknown);
      if (fresh) known->second = names_.fields.pointer_at(type, word.offset - type.object_offset());
      return known->second;
    }
    const uint32_t stack = snapshot_.stack[word.from];
    if (stack == 0) return SmartPointer::kUnknown;
    const auto [known, fresh] = by_stack_.try_emplace(stack, SmartPointer::kUnknown);
    if (fresh && by_stack_.size() <= kMostStacks) known->second = kind_by_stack(stack);
    return known->second;
  }

  SmartPointer kind_by_stack(uint32_t stack) const {
    for (const Frame& frame : names_.symbols.stack(stack)) {
      if (!library_call(frame.function).library) break;
      const SmartPointer kind = elements_by_call(frame.function);
      if (kind != SmartPointer::kUnknown) return kind;
    }
    return SmartPointer::kUnknown;
  }

  SmartPointer verdict(const Word& word) {
    const SmartPointer kind = kind_of(word);
    if (kind != SmartPointer::kUnknown) return kind;
    const auto seen = places_.find(place_of(word));
    if (seen != places_.end() && seen->second == kSeenWeak) return SmartPointer::kWeak;
    if (seen != places_.end() && seen->second == kSeenOwner) return SmartPointer::kShared;
    const bool presumed = word.is_own && owns_[word.control] == Own::kPresumed;
    return presumed ? SmartPointer::kWeak : SmartPointer::kUnknown;
  }
  bool is_weak(const Word& word) {
    const Control state = states_[word.control];
    if (state == Control::kPlain) return false;
    const SmartPointer told = verdict(word);
    return told == SmartPointer::kWeak ||
           (told == SmartPointer::kUnknown && state == Control::kWeak);
  }

  // What the numbers of pointers say of those control blocks of which they have not yet.
  void count() {
    for (uint32_t block = 0; block < states_.size(); ++block) {
      if (states_[block] != Control::kOpen) continue;
      const OwnerCounts said = *counts_at(block);
      counts_[block] = {static_cast<int32_t>(said.weak), 0, said.owners + said.weak};
    }
    for_each_word([this](const Word& word) {
      if (states_[word.control] != Control::kOpen) return;
      Count& count = counts_[word.control];
      const SmartPointer told = verdict(word);
      if (told != SmartPointer::kPlain && count.missing > 0) --count.missing;
      if (told == SmartPointer::kUnknown) ++count.unsure;
      if (told == SmartPointer::kWeak && count.weak > 0 && count.weak != kSome) --count.weak;
    });
    open_ = 0;
    for (uint32_t block = 0; block < states_.size(); ++block) {
      if (states_[block] != Control::kOpen) continue;
      const Count& count = counts_[block];
      if (count.weak == 0 || count.unsure == 0)
        states_[block] = Control::kOwned;
      else if (count.weak != kSome && count.weak >= count.unsure && count.missing == 0)
        states_[block] = Control::kWeak;
      else
        ++open_;
    }
  }

  // With what lies at the same place in others.
  void compare() {
    for_each_word([this](const Word& word) {
      const uint64_t place = place_of(word);
      if (states_[word.control] == Control::kOpen || place == 0) return;
      places_[place] |= is_weak(word) ? kSeenWeak : kSeenOwner;
    });
    count();
  }

  // Where nothing else tells, a pointer to itself that an object has is enable_shared_from_this's.
  bool presume() {
    bool any = false;
    for (uint32_t block = 0; open_ > 0 && block < states_.size(); ++block) {
      if (states_[block] != Control::kOpen || owns_[block] != Own::kSeen) continue;
      owns_[block] = Own::kPresumed;
      any = true;
    }
    return any;
  }

  static constexpr uint8_t kSeenWeak = 1, kSeenOwner = 2;
  static constexpr size_t kMostStacks = 4096;

  // Of a block of unknown type: the stack stands for it; a large one is an array of pointers, if
  // anything. 0: nothing compares with it.
  uint64_t place_of(const Word& word) const {
    if (word.from == kNoBlock) return 0;
    const uint32_t type = types_.of[word.from], stack = snapshot_.stack[word.from];
    if (type != 0) return uint64_t{type} << 32 | word.offset;
    constexpr uint64_t kLarge = 512, kPointer = 16;
    const bool large = snapshot_.requested[word.from] > kLarge;
    const uint64_t offset = large ? word.offset % kPointer : word.offset;
    return stack == 0 ? 0 : uint64_t{1} << 63 | uint64_t{stack} << 32 | offset;
  }

  void mark(const Word& word) {
    if (word.from == kNoBlock) {
      found_->roots_[word.index] = true;
      weak_roots_.insert(snapshot_.roots[word.index].address);
      return;
    }
    found_->edges_[word.index] = true;
    if (word.index == snapshot_.edge_first[word.from]) return;
    if (snapshot_.edges[word.index - 1].offset + uint64_t{8} == word.offset)
      found_->edges_[word.index - 1] = true;
  }

  void mark_first_words_of_roots() {
    if (weak_roots_.empty()) return;
    for (size_t i = 0; i < snapshot_.roots.size(); ++i)
      if (weak_roots_.contains(snapshot_.roots[i].address + 8)) found_->roots_[i] = true;
  }

  const Names& names_;
  const Snapshot& snapshot_;
  const Types& types_;
  WeakWords* found_;
  struct Count {
    int32_t weak = 0;    // so many pointers to it are weak besides those that are known
    int32_t unsure = 0;  // so many may be
    // So many pointers were not found: if any, those that were may all be owners.
    int64_t missing = 0;
  };
  std::vector<Control> states_;  // of each block, like the others; empty if there is none
  std::vector<Own> owns_;
  std::vector<Count> counts_;
  uint64_t open_ = 0;  // control blocks
  std::unordered_map<uint64_t, SmartPointer> by_type_;
  std::unordered_map<uint32_t, SmartPointer> by_stack_;
  std::unordered_map<uint64_t, uint8_t> places_;
  std::unordered_set<uint64_t> weak_roots_;  // addresses
};

WeakWords::WeakWords(const Names& names) {
  Search(names, this).run();
}

}  // namespace heaprake::cli
