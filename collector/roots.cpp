#include "collector/roots.h"

#include <algorithm>
#include <cstring>

#include "collector/callbacks.h"
#include "collector/carried.h"
#include "collector/collector.h"
#include "collector/dead_stacks.h"
#include "collector/epolls.h"
#include "collector/modules.h"
#include "collector/names.h"
#include "collector/notes.h"
#include "collector/pins.h"
#include "collector/registrations.h"

namespace heaprake::collector {

namespace {

using platform::AddressSpace;
using platform::Mapping;
using platform::Pages;
using platform::Range;
using platform::StoppedThread;
using platform::World;

// Of static thread-local storage below a thread control block; for naming only.
constexpr size_t kTlsSize = 4096;

// The lowest stack pointer in `range` below which memory is certainly dead: in the main thread's
// stack, or in a stack that libc made (its thread control block stands at the upper end, and a
// guard page below keeps other mappings away). 0 if there is none, or if a smaller stack may lie
// inside: an array in a frame that serves as a signal stack or a coroutine's.
uintptr_t lowest_certain_sp(const World& world, const Mapping& mapping) {
  const uint8_t custom = __atomic_load_n(&heaprake_custom_stacks, __ATOMIC_RELAXED);
  if (custom & kCustomContexts) return 0;
  uintptr_t lowest = 0;
  for (size_t i = 0; i < world.count; i++) {
    const StoppedThread& t = world.threads[i];
    if (t.altstack && mapping.range.contains(t.altstack)) return 0;
    if (!mapping.range.contains(t.sp)) continue;
    bool certain = mapping.main_stack || (!(custom & kCustomThreadStacks) && t.tcb > t.sp &&
                                          mapping.range.contains(t.tcb));
    if (!certain) return 0;
    if (!lowest || t.sp < lowest) lowest = t.sp;
  }
  return lowest;
}

bool holds_a_stack(const World& world, const Mapping& mapping) {
  if (mapping.main_stack) return true;
  for (size_t i = 0; i < world.count; i++) {
    if (mapping.range.contains(world.threads[i].sp)) return true;
  }
  return false;
}

// A deleted file, most often memory of the program's own of which parts were never written; or one
// that only the kernel knows ("/dmabuf:...").
bool has_no_path(const Mapping& mapping) {
  constexpr char kDeleted[] = " (deleted)";
  constexpr size_t kLength = sizeof kDeleted - 1;
  const size_t length = strlen(mapping.name);
  return strrchr(mapping.name, '/') == mapping.name ||
         (length >= kLength && strcmp(mapping.name + length - kLength, kDeleted) == 0);
}

bool all_tcbs_known(const World& world) {
  for (size_t i = 0; i < world.count; i++) {
    if (!world.threads[i].tcb) return false;
  }
  return true;
}

// The number of the thread whose stack pointer lies there; of several, the lowest one's. 0: none.
uint32_t thread_on_stack(const World& world, Range range) {
  uint32_t found = 0;
  for (size_t i = 0; i < world.count; i++) {
    if (!range.contains(world.threads[i].sp)) continue;
    if (!found || world.threads[i].sp < world.threads[found - 1].sp)
      found = static_cast<uint32_t>(i + 1);
  }
  return found;
}

uint32_t thread_with_tcb(const World& world, uintptr_t tcb) {
  for (size_t i = 0; i < world.count; i++) {
    if (world.threads[i].tcb == tcb) return static_cast<uint32_t>(i + 1);
  }
  return 0;
}

// The lowest thread control block in the range, 0 if there is none.
uintptr_t tcb_in(const World& world, Range range) {
  uintptr_t lowest = 0;
  for (size_t i = 0; i < world.count; i++) {
    uintptr_t tcb = world.threads[i].tcb;
    if (tcb && range.contains(tcb) && (!lowest || tcb < lowest)) lowest = tcb;
  }
  return lowest;
}

}  // namespace

extern "C" {
constinit uint8_t heaprake_custom_stacks = 0;
}

void RootSet::clear() {
  ranges_.clear();
  queries_.clear();
  waiting_.clear();
  words_.clear();
  early_roots_.clear();
  early_words_.clear();
  gap_ = nullptr;
  bytes_ = 0;
  protected_.clear();
  module_ = Module();
}

bool RootSet::add(const Root& root) {
  // Whole words only; the kernel's ranges are page-aligned, registers and stacks word-aligned.
  Root aligned = root;
  aligned.range.lo = (root.range.lo + 7) & ~uintptr_t{7};
  aligned.range.hi = root.range.hi & ~uintptr_t{7};
  if (aligned.range.lo >= aligned.range.hi) return true;
  bytes_ += aligned.range.size();
  return ranges_.push(aligned);
}

bool RootSet::add_touched(const AddressSpace& space, Range range, Pages pages, const Root& like) {
  constexpr size_t kMost = 64;
  const size_t count = queries_.size();
  const bool fits = count == 0 || (count < kMost && queries_[count - 1].range.hi <= range.lo);
  if (!fits && !add_waiting(space)) return false;
  return range.lo >= range.hi || (queries_.push({range, pages}) && waiting_.push(like));
}

bool RootSet::add_waiting(const AddressSpace& space) {
  bool ok = true;
  space.for_each_touched(queries_.begin(), queries_.size(), [&](size_t i, Range touched) {
    Root root = waiting_[i];
    root.range.lo = std::max(touched.lo, queries_[i].range.lo);
    root.range.hi = std::min(touched.hi, queries_[i].range.hi);
    if (root.range.lo < root.range.hi) ok = ok && add(root);
  });
  queries_.set_size(0);
  waiting_.set_size(0);
  return ok;
}

bool RootSet::add_protected_blocks(const AddressSpace& space) {
  bool ok = true;
  for (const heap::Block& block : protected_.blocks()) {
    Range content{block.address, block.address + block.size};
    Root root{content, GC_REFERENCE_BLOCK, true, block.address, ""};
    root.must_be_read = true;
    if (!block.leaf) ok = ok && add_touched(space, content, Pages::kTouched, root);
  }
  return ok && add_waiting(space);
}

bool RootSet::add_thread(const StoppedThread& thread, uint32_t number) {
  Root root{{}, GC_REFERENCE_REGISTER, false, 0, with_names_ ? intern("[registers]") : ""};
  root.thread = number;
  root.range = thread.registers;
  root.origin = root.range.lo;
  if (!add(root)) return false;
  // Numbered as if they followed the general ones.
  root.range = thread.vectors;
  root.origin = root.range.lo - thread.registers.size();
  if (!add(root)) return false;
  return words_.push(thread.sp) && words_.push(thread.tcb) && words_.push(thread.gs) &&
         words_.push(thread.altstack);
}

// A module's mappings follow one another. Its .bss is an anonymous mapping right behind them, as
// far as its headers say: the kernel joins the program's own with it.
void RootSet::follow_module(const AddressSpace& space, const Mapping& mapping) {
  const bool behind = mapping.range.lo == module_.end && mapping.range.lo < module_.limit;
  const bool same =
      mapping.file_backed ? strcmp(module_.name, mapping.name) == 0 : behind && !*mapping.name;
  if (same && *module_.name) {
    module_.end = mapping.range.hi;
    return;
  }
  module_ = Module();
  if (!mapping.file_backed || mapping.shared || mapping.device) return;
  constexpr uintptr_t kMask = platform::kPageSize - 1;
  const uintptr_t limit = (end_of_module(space, mapping.range.lo) + kMask) & ~kMask;
  module_ = {mapping.range.lo, mapping.range.hi, limit, intern(mapping.name)};
}

bool RootSet::visit_stack(const World& world, const AddressSpace& space, const Mapping& mapping,
                          Root root) {
  Range live = mapping.range;
  if (uintptr_t sp = lowest_certain_sp(world, mapping)) live.lo = sp;
  root.kind = GC_REFERENCE_STACK;
  root.name = "[stack]";
  if (with_names_) root.thread = thread_on_stack(world, mapping.range);
  uintptr_t tcb = tcb_in(world, live);
  if (!tcb || !with_names_) return add_touched(space, live, Pages::kTouched, root);
  uintptr_t boundary = std::max(live.lo, tcb - kTlsSize);
  Root tls = root;
  tls.kind = GC_REFERENCE_TLS;
  tls.name = "[tls]";
  tls.thread = thread_with_tcb(world, tcb);
  return add_touched(space, {live.lo, boundary}, Pages::kTouched, root) &&
         add_touched(space, {boundary, live.hi}, Pages::kTouched, tls);
}

// A stack of libc's has a guard page, and nobody lives there any more.
bool RootSet::may_be_dead_stack(const World& world, const Mapping& mapping) const {
  return guard_end_ == mapping.range.lo && mapping.writable && !mapping.shared &&
         !mapping.file_backed && !tcb_in(world, mapping.range) && all_tcbs_known_ &&
         !__atomic_load_n(&heaprake_custom_stacks, __ATOMIC_RELAXED);
}

// SWI-Prolog's words are distances from the bases of its stacks and tables. What oneTBB's
// concurrent containers refer to a part of themselves by lies as far before the part as it is long;
// with TBB's own allocator the parts are no blocks of ours, but that is up to the program.
constexpr const char* kHiders[] = {"libswipl", "libtbb"};

void RootSet::note_hidden_pointers(const Mapping& mapping) {
  if (!mapping.executable || !mapping.file_backed) return;
  const char* slash = strrchr(mapping.name, '/');
  const char* file = slash ? slash + 1 : mapping.name;
  for (const char* hider : kHiders) {
    if (strncmp(file, hider, strlen(hider)) == 0) hidden_by_ = hider;
  }
  const Disguises disguises = disguises_of(file);
  if (disguises & kDistance) distance_code_ = mapping.range;
  disguises_ |= disguises;
}

bool RootSet::look_for_disguises() {
  AddressSpace space;
  if (!space.open()) return false;
  disguises_ = disguises_of_program();
  disguises_known_ = space.for_each_mapping([&](const Mapping& mapping) {
    note_hidden_pointers(mapping);
    return true;
  });
  space.close();
  return disguises_known_;
}

bool RootSet::may_be_moving_distances(const World& world) const {
  if (!(disguises_ & kDistance)) return false;
  const auto leads_there = [&](Range words) {
    for (uintptr_t at = words.lo; at + sizeof(uintptr_t) <= words.hi; at += sizeof(uintptr_t)) {
      if (distance_code_.contains(*reinterpret_cast<const uintptr_t*>(at))) return true;
    }
    return false;
  };
  for (size_t i = 0; i < world.count; i++) {
    // A stack in a block of the heap's is not among the ranges.
    const uintptr_t in_heap = world.threads[i].sp - heap::geometry.base;
    if (in_heap < heap::geometry.size || leads_there(world.threads[i].registers)) return true;
  }
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Root& root) {
    return root.kind == GC_REFERENCE_STACK && (root.guarded || leads_there(root.range));
  });
}

bool RootSet::visit_mapping(const World& world, const AddressSpace& space, const Mapping& mapping) {
  if (with_names_) follow_module(space, mapping);
  const uintptr_t limit = module_.limit;
  const bool is_cut = with_names_ && !mapping.file_backed && mapping.range.lo < limit &&
                      limit < mapping.range.hi && module_.end == mapping.range.hi;
  if (!is_cut) return visit_part(world, space, mapping);
  Mapping part = mapping;
  part.range.hi = module_.end = limit;
  const bool ok = visit_part(world, space, part);
  module_ = Module();
  part.range = {limit, mapping.range.hi};
  return ok && visit_part(world, space, part);
}

bool RootSet::visit_part(const World& world, const AddressSpace& space, const Mapping& mapping) {
  note_hidden_pointers(mapping);
  if (mapping.device || (mapping.shared && !mapping.writable && !mapping.kept_in_memory))
    return true;
  // Secret memory is never truncated, and the kernel reads it for nobody.
  const bool secret = strncmp(mapping.name, "/secretmem", 10) == 0;
  const bool guarded = (mapping.shared && !secret) || !mapping.readable;
  Root root{mapping.range, GC_REFERENCE_MAPPING, guarded, mapping.range.lo, ""};
  root.shared = mapping.shared;
  if (with_names_) root.name = intern(mapping.name);
  if (holds_a_stack(world, mapping)) return visit_stack(world, space, mapping, root);
  root.every_byte = mapping.executable;
  if (may_be_dead_stack(world, mapping)) root.range = dead_stacks.live_part(mapping.range);
  if (with_names_) {
    if (module_.end == mapping.range.hi && *module_.name) {
      root.kind = GC_REFERENCE_GLOBAL;
      root.origin = module_.base;
      root.name = module_.name;
    } else if (uintptr_t tcb = tcb_in(world, mapping.range)) {
      root.kind = GC_REFERENCE_TLS;
      root.name = "[tls]";
      root.thread = thread_with_tcb(world, tcb);
    }
  }
  if (mapping.shared && mapping.file_backed && !secret && !mapping.kept_in_memory)
    return add_shared_file(space, mapping, root);
  // Secret memory is never swapped out, and beyond its end a reading would be the end of us.
  if (mapping.shared)
    return add_touched(space, mapping.range, secret ? Pages::kSharedFile : Pages::kShared, root);
  if (!mapping.readable) {
    root.must_be_read = true;
    guard_end_ = mapping.range.hi;
    return add_touched(space, mapping.range, Pages::kHidden, root);
  }
  bool written_only = mapping.file_backed || !mapping.writable;
  return add_touched(space, root.range, written_only ? Pages::kPrivate : Pages::kTouched, root);
}

// The kernel may have dropped pages that the program has written, which come back with the next
// access. Not with one of ours: threads stand still that the file's server may be among.
bool RootSet::add_shared_file(const AddressSpace& space, const Mapping& mapping, const Root& like) {
  // Of a file that cannot be found nobody knows.
  platform::SharedFile file{mapping.range.size(), mapping.range.size()};
  if (!platform::find_shared_file(mapping, &file) && has_no_path(mapping))
    return add_touched(space, mapping.range, Pages::kShared, like);
  bool ok = add_waiting(space);
  uint64_t in_memory = 0;
  space.for_each_touched(mapping.range, Pages::kSharedFile, [&](Range touched) {
    Root root = like;
    root.range = touched;
    in_memory += touched.size();
    ok = ok && add(root);
  });
  if (in_memory < file.mapped && in_memory < file.held)
    note_gap("pages of a file that is mapped and shared are not in memory");
  return ok;
}

// What the program has named (gc_add_root) of this mapping: a range may name more than there is.
bool RootSet::add_named_roots(const AddressSpace& space, const Mapping& mapping) {
  if (mapping.device) return true;
  Pages touched = mapping.readable ? Pages::kTouched : Pages::kHidden;
  if (mapping.shared) touched = Pages::kShared;
  bool ok = true;
  pins.for_each_root([&](Range named) {
    Range part{std::max(named.lo, mapping.range.lo), std::min(named.hi, mapping.range.hi)};
    Root root{part, GC_REFERENCE_MAPPING, true, named.lo, "[added root]"};
    root.shared = mapping.shared;
    if (part.lo < part.hi) ok = ok && add_touched(space, part, touched, root);
  });
  return ok;
}

// What the kernel and the program hold without a word in memory. For a report some is better than
// nothing, as long as it says so.
bool RootSet::add_held_words(const World& world) {
  thread_words_ = words_.size();
  bool ok = true;
  pins.forget_dead();
  pins.for_each_pin([&](uintptr_t address) { ok = ok && words_.push(address); });
  pinned_words_ = words_.size();
  if (!epolls.add_words(world, words_)) gap_ = "what an epoll descriptor holds could not be read";
  if (!registrations.add_words(words_)) gap_ = "the values of timers were not all kept";
  if (!carried.add_words(words_)) gap_ = "the addresses in messages were not all kept";
  ok = ok && notes.add_words(words_) && callbacks.add_words(words_);
  return ok && (with_names_ || !gap_);
}

bool RootSet::build(const World& world, const AddressSpace& space, bool with_names) {
  clear();
  with_names_ = with_names;
  saw_own_stack_ = false;
  all_tcbs_known_ = all_tcbs_known(world);
  guard_end_ = 0;
  hidden_by_ = nullptr;
  disguises_ = disguises_of_program();
  distance_code_ = {};
  any_named_roots_ = false;
  pins.for_each_root([&](Range) { any_named_roots_ = true; });
  bool ok = dead_stacks.prepare();
  for (size_t i = 0; i < world.count; i++)
    ok = ok && add_thread(world.threads[i], static_cast<uint32_t>(i + 1));
  bool whole = space.for_each_piece([&](const Mapping& piece, bool ours) {
    saw_own_stack_ = saw_own_stack_ || piece.range.contains(world.threads[0].sp);
    if (any_named_roots_) ok = ok && add_named_roots(space, piece);
    ok = ok && (ours ? protected_.note(piece) : visit_mapping(world, space, piece));
    return ok;
  });
  disguises_known_ = ok && whole;
  return ok && whole && saw_own_stack_ && protected_.finish() && add_protected_blocks(space) &&
         add_held_words(world);
}

}  // namespace heaprake::collector
