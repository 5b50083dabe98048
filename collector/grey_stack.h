// The blocks, or pieces of blocks, that are marked and still to be scanned: a stack for the worker
// that owns it, with a lower end from which it gives work away. What lies there is oldest, so most
// is likely to hang from it.
#pragma once

#include <algorithm>

#include "allocator/heap.h"
#include "collector/mapped_array.h"

namespace heaprake::collector {

// Whole granules of one block, in one word, as there may be one for every block of the heap.
class Grey {
 public:
  static constexpr size_t kMaxGranules = (size_t{1} << 24) - 1;

  Grey() = default;
  Grey(size_t granule, size_t granules) : bits_(granule << 24 | granules) {}
  size_t granule() const { return bits_ >> 24; }
  size_t granules() const { return bits_ & kMaxGranules; }

 private:
  uint64_t bits_;
};
static_assert(sizeof(Grey) == 8);

class GreyStack {
 public:
  size_t size() const { return items_.size() - bottom_; }
  bool empty() const { return size() == 0; }
  // Room for `count` more. false: out of memory.
  bool reserve(size_t count) { return items_.reserve(items_.size() + count); }
  // Within what was reserved.
  void push(Grey item) {
    *items_.end() = item;
    items_.set_size(items_.size() + 1);
  }
  Grey pop() {
    Grey item = items_.pop();
    if (items_.size() == bottom_) clear();
    return item;
  }
  Grey& top() { return items_[items_.size() - 1]; }
  // Moves the `count` oldest items to the top of `to`. false: out of memory, nothing changed.
  bool move_oldest(size_t count, GreyStack& to) {
    if (!to.reserve(count)) return false;
    for (size_t i = 0; i < count; i++) to.push(items_[bottom_ + i]);
    bottom_ += count;
    if (items_.size() == bottom_) clear();
    return true;
  }
  void release() {
    items_.shrink(0);
    bottom_ = 0;
  }

 private:
  void clear() {
    items_.clear();
    bottom_ = 0;
  }

  MappedArray<Grey> items_;
  size_t bottom_ = 0;  // items below it have been given away; 0 when the stack is empty
};

}  // namespace heaprake::collector
