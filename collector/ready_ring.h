// The pieces whose first lines are on their way, in the order in which they were fetched.
#pragma once

#include <algorithm>
#include <cstddef>

#include "collector/filter.h"

namespace heaprake::collector {

template <size_t kRoom>
class ReadyRing {
 public:
  size_t size() const { return end_ - begin_; }
  size_t room() const { return kRoom - size(); }
  bool empty() const { return begin_ == end_; }
  // Only if there is room.
  void push(const Piece& piece) { pieces_[end_++ % kRoom] = piece; }
  // These three only if there are as many.
  Piece& front() { return pieces_[begin_ % kRoom]; }
  const Piece& front() const { return pieces_[begin_ % kRoom]; }
  void drop(size_t count) { begin_ += count; }
  // How many of the next `most` are short, and stand behind one another in memory from front() on.
  size_t short_ones(size_t most) const {
    const size_t first = begin_ % kRoom;
    most = std::min({most, size(), kRoom - first});
    size_t count = 0;
    while (count < most && pieces_[first + count].granules <= Filter::kShort) ++count;
    return count;
  }

 private:
  Piece pieces_[kRoom];  // numbers begin_ to end_, each at its remainder
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace heaprake::collector
