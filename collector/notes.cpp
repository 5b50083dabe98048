#include "collector/notes.h"

#include <algorithm>
#include <cerrno>

#include "allocator/heap.h"
#include "collector/collector.h"
#include "collector/figures.h"

namespace heaprake::collector {

constinit Notes notes;

namespace {

constexpr heap::NoteHooks kHooks = {
    [](uintptr_t block) { notes.released(block); },
    [](uintptr_t from, uintptr_t to) { return notes.moved(from, to); },
};

size_t granule_of(uintptr_t block) {
  return (block - heap::geometry.base) / heap::kGranule;
}

bool in_heap(uintptr_t word) {
  return word - heap::geometry.base < heap::geometry.size;
}

bool is_set(const MarkBits& bits, uintptr_t block) {
  const size_t granule = granule_of(block);
  return bits.covers(granule) && bits.test(granule);
}

// A list whose block lies at `to` now. What lay behind its new end is gone.
void move_weak(gc_weak* list, uintptr_t from, uintptr_t to) {
  const size_t size = heap::block_at(granule_of(to)).size;
  for (gc_weak* weak = list; weak; weak = weak->next) {
    const uintptr_t offset = weak->target.load(std::memory_order_relaxed) - from;
    weak->target.store(offset < size ? to + offset : 0, std::memory_order_relaxed);
    weak->block = to;
  }
}

}  // namespace

// The block's note, which may be a new one. A note of which the heap knows nothing belongs to a
// block that was freed while it was being noted.
Note* Notes::get(uintptr_t block) {
  heap::set_note_hooks(&kHooks);
  Note* known = notes_.find(block);
  if (known && heap::is_noted(block)) return known;
  if (known) {
    detach_weak(*known);
    notes_.erase(known);
  }
  Note* added = notes_.insert(block);
  if (added && !heap::note(block)) {
    notes_.erase(added);
    return nullptr;
  }
  return added;
}

void Notes::drop_if_empty(Note* note) {
  if (!note->empty()) return;
  heap::unnote(note->address);
  notes_.erase(note);
}

void Notes::detach_weak(Note& note) {
  for (gc_weak* weak = note.weak; weak; weak = weak->next) {
    weak->target.store(0, std::memory_order_relaxed);
    weak->block = 0;
  }
  note.weak = nullptr;
}

int Notes::set_finalizer(uintptr_t block, gc_finalizer finalizer, void* arg, bool destroys) {
  platform::ForkGuard guard(lock_);
  Note* note = finalizer ? get(block) : notes_.find(block);
  if (!note) return finalizer ? ENOMEM : 0;
  if (note->queued || (finalizer && note->finalized)) return EALREADY;
  note->finalizer = finalizer;
  note->arg = finalizer ? arg : nullptr;
  note->order = ++last_order_;
  if (!note->finalized) note->destroys = finalizer && destroys;
  if (note->destroys) destructors_++;
  drop_if_empty(note);
  return 0;
}

bool Notes::set_type(uintptr_t block, const char* interned) {
  platform::ForkGuard guard(lock_);
  Note* note = interned ? get(block) : notes_.find(block);
  if (!note) return !interned;
  note->type = interned;
  drop_if_empty(note);
  return true;
}

int Notes::weak_new(uintptr_t block, uintptr_t target, gc_weak** out) {
  platform::ForkGuard guard(lock_);
  Note* note = get(block);
  if (!note) return ENOMEM;
  if (note->dying()) return EALREADY;
  for (gc_weak* weak = note->weak; weak; weak = weak->next) {
    if (weak->target.load(std::memory_order_relaxed) != target) continue;
    weak->count++;
    *out = weak;
    return 0;
  }
  gc_weak* weak = pool_.take();
  if (!weak) {
    drop_if_empty(note);
    return ENOMEM;
  }
  weak->block = block;
  weak->next = note->weak;
  weak->count = 1;
  weak->target.store(target, std::memory_order_relaxed);
  note->weak = weak;
  *out = weak;
  return 0;
}

bool Notes::weak_free(gc_weak* weak) {
  platform::ForkGuard guard(lock_);
  if (!pool_.holds(weak)) return false;
  if (--weak->count) return true;
  if (Note* note = weak->block ? notes_.find(weak->block) : nullptr) {
    gc_weak** link = &note->weak;
    while (*link && *link != weak) link = &(*link)->next;
    if (*link) *link = weak->next;
    drop_if_empty(note);
  }
  pool_.give_back(weak);
  return true;
}

bool Notes::is_finalized(uintptr_t block) {
  platform::ForkGuard guard(lock_);
  const Note* note = notes_.find(block);
  return note && note->finalized && heap::is_noted(block);
}

const char* Notes::type_of(uintptr_t block) {
  platform::ForkGuard guard(lock_);
  const Note* note = notes_.find(block);
  return note && heap::is_noted(block) ? note->type : nullptr;
}

bool Notes::take_due(DueFinalizer* due) {
  if (due_count() == 0) return false;
  platform::ForkGuard guard(lock_);
  while (queue_begin_ < queue_.size()) {
    Note* note = notes_.find(queue_[queue_begin_++]);
    // The program may have freed the block meanwhile.
    if (!note || !note->queued) continue;
    *due = {reinterpret_cast<void*>(note->address), note->finalizer, note->arg};
    note->finalizer = nullptr;
    note->arg = nullptr;
    note->queued = false;
    note->finalized = true;
    due_count_.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }
  queue_.clear();
  queue_begin_ = 0;
  return false;
}

bool Notes::list_unreachable(const MarkBits& marks, MappedArray<uintptr_t>& out) {
  struct Found {
    uint64_t order;
    uintptr_t block;
  };
  MappedArray<Found> found;
  bool room = true;
  notes_.for_each([&](const Note& note) {
    if (!note.finalizer || note.queued || !heap::is_noted(note.address)) return;
    if (!is_set(marks, note.address)) room = room && found.push({note.order, note.address});
  });
  std::sort(found.begin(), found.end(), [](Found a, Found b) { return a.order > b.order; });
  for (const Found& each : found) room = room && out.push(each.block);
  found.shrink(0);
  return room;
}

bool Notes::is_finalizable(uintptr_t block, Finalizable* out) {
  const Note* note = heap::is_noted(block) ? notes_.find(block) : nullptr;
  if (!note || !note->finalizer || note->queued) return false;
  *out = {note->order, note->destroys};
  return true;
}

bool Notes::queue(uintptr_t block) {
  if (!queue_.push(block)) return false;
  notes_.find(block)->queued = true;
  due_count_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void Notes::clear_weak(platform::FunctionRef<bool(uintptr_t block)> includes) {
  notes_.for_each([&](Note& note) {
    if (note.weak && includes(note.address)) detach_weak(note);
  });
}

void Notes::clear_weak(const MarkBits& garbage) {
  clear_weak([&](uintptr_t block) { return is_set(garbage, block); });
}

bool Notes::add_words(MappedArray<uintptr_t>& words) {
  bool room = true;
  notes_.for_each([&](const Note& note) {
    if (!note.finalizer) return;
    if (note.queued) room = room && words.push(note.address);
    const auto arg = reinterpret_cast<uintptr_t>(note.arg);
    if (!in_heap(arg) || heap::find_block(arg).address == note.address) return;
    room = room && words.push(arg);
  });
  return room;
}

void Notes::forget(const MarkBits& garbage) {
  platform::ForkGuard guard(lock_);
  notes_.erase_if([&](Note& note) {
    if (!is_set(garbage, note.address)) return false;
    detach_weak(note);
    heap::unnote(note.address);
    return true;
  });
}

void Notes::released(uintptr_t block) {
  platform::ForkGuard guard(lock_);
  if (Note* note = notes_.find(block)) {
    detach_weak(*note);
    if (note->queued) due_count_.fetch_sub(1, std::memory_order_relaxed);
    notes_.erase(note);
  }
  heap::unnote(block);
}

bool Notes::moved(uintptr_t from, uintptr_t to) {
  platform::ForkGuard guard(lock_);
  Note* note = notes_.find(from);
  if (!note) {
    heap::unnote(from);
    return true;
  }
  if (!heap::note(to)) return false;
  move_weak(note->weak, from, to);
  if (from == to) return true;
  for (size_t i = queue_begin_; note->queued && i < queue_.size(); i++) {
    if (queue_[i] == from) queue_[i] = to;
  }
  const Note copy = *note;
  notes_.erase(note);
  // There is room for it: one entry has just been taken out.
  Note* moved = notes_.insert(to);
  *moved = copy;
  moved->address = to;
  heap::unnote(from);
  return true;
}

void Notes::before_fork() {
  lock_.before_fork();
  // A filter may not let us look.
  const bool may_look = !is_barred() && !platform::has_unknown_filter();
  alone_ = destructors_ == 0 || (may_look && platform::is_alone());
}

void Notes::after_fork_in_parent() {
  alone_ = false;
  lock_.after_fork_in_parent();
}

void Notes::reset_after_fork() {
  if (!alone_) take_back_destructors();
  alone_ = false;
  lock_.reset_after_fork();
}

// A thread that the child does not have may have been in the middle of `delete`, which runs the
// destructor and only then tells us: nothing refers to such an object in the child, but it must not
// be destroyed again.
void Notes::take_back_destructors() {
  notes_.erase_if([&](Note& note) {
    if (!note.destroys || !note.finalizer) return false;
    if (note.queued) due_count_.fetch_sub(1, std::memory_order_relaxed);
    note.finalizer = nullptr;
    note.arg = nullptr;
    note.queued = note.destroys = false;
    if (note.empty()) heap::unnote(note.address);
    return note.empty();
  });
  Figures::set(figures.finalizers_waiting, due_count());
}

}  // namespace heaprake::collector
