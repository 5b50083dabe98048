// Which words are shared_ptrs and which weak_ptrs. Both are two words, the object's address and its
// control block's. Debug information tells them apart. Without it the control block's counts do: so
// many of the pointers that were found are owners, so many are weak, and a weak_ptr that comes
// first in the object itself is enable_shared_from_this's; and what is weak in one object of a type
// is so in the others.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cli/snapshot/snapshot.h"
#include "cli/types/fields.h"
#include "cli/types/types.h"

namespace heaprake::cli {

enum class Hold : uint8_t {
  kPlain,   // neither
  kOwner,   // a shared_ptr
  kWeak,    // a weak_ptr
  kEither,  // the counts say that there is one of either kind among some, not which
};

class OwnerWords {
 public:
  // A control block that lies apart -> its object.
  using Controls = std::unordered_map<uint32_t, uint32_t>;

  // Words anywhere that refer to a control block's start.
  using Found = std::function<int64_t(uint32_t)>;

  // Of the blocks of one structure; all of it but `found` must outlive this. `fields` may be null.
  OwnerWords(const Snapshot& snapshot, const Types& types, Fields* fields,
             const std::vector<uint32_t>& blocks, const Controls& controls, const Found& found);

  // Of either of the two words.
  Hold of(uint32_t from, const BlockEdge& edge) const;
  // Whether nothing but its place in that object tells of a weak_ptr to the object that it is one.
  bool is_presumed(uint32_t object) const { return presumed_.contains(object); }

 private:
  // The second word of a pointer.
  struct Word {
    uint32_t from;
    uint32_t offset;
  };
  // Besides `words`, so many `others` of other structures refer to the control block.
  void tell(uint32_t control, std::vector<Word>& words, int64_t others, const OwnerCounts& counts,
            Fields* fields);
  // Of those that refer to one control block, of which so many are weak.
  struct Open {
    std::vector<Word> words;
    int64_t weak;
  };
  void settle(const Open& open);
  uint64_t place_of(const Word& word) const { return key(types_.of[word.from], word.offset); }
  void set(const Word& word, Hold hold) { holds_[key(word.from, word.offset)] = hold; }
  static uint64_t key(uint32_t from, uint32_t offset) { return uint64_t{from} << 32 | offset; }
  uint32_t object_of(uint32_t control) const;
  // The edge eight bytes further on, if the two can be one pointer to an object; else null.
  const BlockEdge* second_word(uint32_t from, const BlockEdge& edge) const;

  const Snapshot& snapshot_;
  const Types& types_;
  const Controls& controls_;
  std::unordered_map<uint64_t, Hold> holds_;  // second words that are not owners
  std::unordered_set<uint32_t> presumed_;     // objects
  std::vector<Open> open_;
  std::unordered_set<uint64_t> weak_places_;  // in objects of known types, by place_of
};

}  // namespace heaprake::cli
