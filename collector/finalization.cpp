#include "collector/finalization.h"

#include <algorithm>

#include "collector/contained_call.h"
#include "collector/figures.h"
#include "collector/notes.h"
#include "collector/user_code.h"

namespace heaprake::collector {

namespace {

using heap::Block;
using platform::Range;

// Goes depth first through what was not marked, and finds its strongly connected components by
// Tarjan's algorithm: it leaves a component only after all those that it leads to. Blocks are
// marked when they are come to, not when they are seen.
//
// Blocks between which there is a reference, in whichever direction, also form a group. A
// destructor of one may delete what it leads to, so that no block of its group may be got at from
// outside.
class Closure {
 public:
  Closure(const platform::AddressSpace& space, const Filter& filter, MarkBits& marks,
          MarkResult* marked)
      : space_(space), filter_(filter), marks_(marks), marked_(marked) {}
  ~Closure() {
    steps_.shrink(0);
    words_.shrink(0);
    open_.shrink(0);
    left_.shrink(0);
    visits_.release();
  }
  Closure(const Closure&) = delete;
  Closure& operator=(const Closure&) = delete;

  // `from` has a finalizer.
  bool add(uintptr_t from) {
    bool ok = steps_.push({from, false});
    while (ok && !steps_.empty()) {
      const Step step = steps_.pop();
      ok = step.leave ? leave(step.block) : come_to(step.block);
    }
    return ok;
  }

  // Components in the opposite order, the blocks of each as they were set. Weak references to what
  // destructors are about to spoil are cleared.
  bool queue() {
    bool ok = true;
    clear_weak();
    for (size_t end = left_.size(); ok && end > 0;) {
      size_t begin = end - 1;
      while (begin > 0 && left_[begin - 1].component == left_[begin].component) begin--;
      std::sort(left_.begin() + begin, left_.begin() + end,
                [](const Left& a, const Left& b) { return a.what.order < b.what.order; });
      for (size_t i = begin; ok && i < end; i++) ok = notes.queue(left_[i].block);
      end = begin;
    }
    return ok;
  }

 private:
  struct Step {
    uintptr_t block;
    bool leave;
  };
  struct Visit {
    uintptr_t address;
    size_t number;    // in the order in which blocks were come to, from 1
    size_t lowest;    // number of an open block that it leads to; 0: its component is left
    uintptr_t group;  // a block of the same group, nearer its representative; itself if it is that
    bool doomed;      // of a representative: a block of the group has a destructor
  };
  struct Left {
    uintptr_t block;  // one with a finalizer
    Notes::Finalizable what;
    size_t component;
  };

  bool come_to(uintptr_t address) {
    const Block block = heap::find_block(address);
    const size_t granule = (block.address - heap::geometry.base) / heap::kGranule;
    if (!marks_.test_and_set<false>(granule)) return true;
    marked_->blocks++;
    marked_->bytes += block.size;
    Visit* visit = visits_.insert(block.address);
    if (!visit || !open_.push(block.address) || !steps_.push({block.address, true})) return false;
    visit->number = visit->lowest = ++last_number_;
    visit->group = block.address;
    return for_each_child(block, [&](uintptr_t child) {
      const size_t at = (child - heap::geometry.base) / heap::kGranule;
      return marks_.test(at) || steps_.push({child, false});
    });
  }

  // All that it leads to has been come to.
  bool leave(uintptr_t address) {
    size_t lowest = visits_.find(address)->lowest;
    bool ok = for_each_child(heap::find_block(address), [&](uintptr_t child) {
      const Visit* visit = visits_.find(child);
      if (visit && visit->lowest) lowest = std::min(lowest, visit->lowest);
      if (visit) join(address, child);
      return true;
    });
    Visit* visit = visits_.find(address);
    visit->lowest = lowest;
    if (!ok || lowest != visit->number) return ok;
    for (uintptr_t block = 0; ok && block != address;) {
      block = open_.pop();
      visits_.find(block)->lowest = 0;
      Notes::Finalizable what;
      if (!notes.is_finalizable(block, &what)) continue;
      ok = left_.push({block, what, lowest});
      if (what.destroys) group_of(block)->doomed = true;
    }
    return ok;
  }

  // The representative of a visited block's group. Shortens the way there.
  Visit* group_of(uintptr_t address) {
    Visit* visit = visits_.find(address);
    while (visit->group != visit->address) {
      Visit* nearer = visits_.find(visit->group);
      visit->group = nearer->group;
      visit = nearer;
    }
    return visit;
  }
  void join(uintptr_t one, uintptr_t other) {
    Visit* from = group_of(one);
    Visit* to = group_of(other);
    from->group = to->address;
    to->doomed |= from->doomed;
  }
  void clear_weak() {
    const auto destroys = [](const Left& left) { return left.what.destroys; };
    if (std::none_of(left_.begin(), left_.end(), destroys)) return;
    notes.clear_weak(
        [&](uintptr_t block) { return visits_.find(block) && group_of(block)->doomed; });
  }

  // The blocks that its words lead to, until visit(address) returns false.
  template <class VisitChild>
  bool for_each_child(const Block& block, VisitChild visit) {
    if (block.leaf) return true;
    const Range whole{block.address, block.address + block.size};
    if (block.size < kSparseBytes) return for_each_child_in(whole, visit, base_of_distances(block));
    bool ok = true;
    space_.for_each_touched(whole, platform::Pages::kTouched, [&](Range touched) {
      const Range part{std::max(touched.lo, whole.lo), std::min(touched.hi, whole.hi)};
      ok = ok && for_each_child_in(part, visit);
    });
    return ok;
  }
  template <class VisitChild>
  bool for_each_child_in(Range range, VisitChild& visit, uintptr_t block = 0) {
    if (range.lo >= range.hi) return true;
    if (!words_.reserve(filter_.capacity_for(range.size()))) return false;
    const size_t count = filter_(reinterpret_cast<const void*>(range.lo),
                                 reinterpret_cast<const void*>(range.hi), words_.data(), block);
    for (size_t i = 0; i < count; i++) {
      const Block child = heap::find_block(words_.data()[i]);
      if (child && !visit(child.address)) return false;
    }
    return true;
  }

  const platform::AddressSpace& space_;
  const Filter& filter_;
  MarkBits& marks_;
  MarkResult* marked_;
  MappedArray<Step> steps_;
  MappedArray<uintptr_t> words_;
  MappedArray<uintptr_t> open_;  // come to, component not yet left
  MappedArray<Left> left_;       // a component's blocks side by side
  AddressMap<Visit> visits_;
  size_t last_number_ = 0;
};

}  // namespace

bool queue_finalizable(const platform::AddressSpace& space, const Filter& filter, MarkBits& marks,
                       MarkResult* marked) {
  MappedArray<uintptr_t> unreachable;
  bool ok = notes.list_unreachable(marks, unreachable);
  if (!unreachable.empty()) {
    Closure closure(space, filter, marks, marked);
    // The last to be set first, since the order is turned round in the end.
    for (uintptr_t block : unreachable) ok = ok && closure.add(block);
    ok = ok && closure.queue();
  }
  unreachable.shrink(0);
  Figures::set(figures.finalizers_waiting, notes.due_count());
  return ok;
}

size_t run_due_finalizers() {
  size_t count = 0;
  for (DueFinalizer due; notes.take_due(&due); count++) {
    Figures::add(figures.finalizers_run, 1);
    Figures::set(figures.finalizers_waiting, notes.due_count());
    UserCode here;
    call_contained(due.run, due.block, due.arg);
  }
  return count;
}

}  // namespace heaprake::collector
