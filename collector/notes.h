// What is known of single blocks beyond their length: a finalizer or destructor, weak references, a
// type's name.
// A block that has a note is marked as noted in the heap's map (heap.h), so that the heap tells us
// when the program frees or moves it; all other blocks cost nothing.
//
//   no finalizer -> set -> [found unreachable] queued -> [about to run] finalized
//
// A queued block is a root until its finalizer runs. The argument of a finalizer is one from the
// time it is set, unless it lies in the block itself. A finalizer may save its block, so that weak
// references last until the block goes; a destructor leaves nothing to be saved: from the moment
// that it is queued there are none.
//
// Any thread, any time: under one lock, with signals blocked, so that no thread stands still in the
// middle of a change. What is said to be for a stopped world needs no lock therefore.
#pragma once

#include "collector/address_map.h"
#include "collector/mapped_array.h"
#include "collector/mark_bits.h"
#include "collector/weak.h"
#include "heaprake/gc.h"
#include "platform/platform.h"

namespace heaprake::collector {

struct Note {
  uintptr_t address;       // of the block
  gc_finalizer finalizer;  // until it is about to run
  void* arg;
  gc_weak* weak;     // a list
  const char* type;  // interned; nullptr: not known
  uint64_t order;    // of setting finalizers
  bool finalized;
  bool queued;
  bool destroys;  // the finalizer is, or was, a destructor
  bool empty() const { return !finalizer && !weak && !type && !finalized; }
  bool dying() const { return destroys && (queued || finalized); }
};

// A finalizer whose turn has come. Who holds it keeps the block and the argument alive.
struct DueFinalizer {
  void* block;
  gc_finalizer run;
  void* arg;
};

class Notes {
 public:
  // `block` is the address of one. 0; EALREADY: it has been found unreachable, or had its finalizer
  // run; ENOMEM.
  int set_finalizer(uintptr_t block, gc_finalizer finalizer, void* arg, bool destroys);
  // false: out of memory, or it is gone.
  bool set_type(uintptr_t block, const char* interned);
  // 0; EALREADY: its destructor is due or has run; ENOMEM, also if it is gone.
  int weak_new(uintptr_t block, uintptr_t target, gc_weak** out);
  // false: not one in use.
  bool weak_free(gc_weak* weak);
  bool is_weak(const gc_weak* weak) const { return pool_.holds(weak); }

  bool is_finalized(uintptr_t block);
  const char* type_of(uintptr_t block);

  // The queue's first. false: it is empty.
  bool take_due(DueFinalizer* due);
  size_t due_count() const { return due_count_.load(std::memory_order_relaxed); }

  // The world is stopped. Blocks with a finalizer yet to be queued whose mark bit is not set, the
  // last to be given a finalizer first. false: out of memory.
  bool list_unreachable(const MarkBits& marks, MappedArray<uintptr_t>& out);
  struct Finalizable {
    uint64_t order = 0;  // among all that were set
    bool destroys = false;
  };
  // Whether its finalizer is yet to be queued.
  bool is_finalizable(uintptr_t block, Finalizable* out);
  bool queue(uintptr_t block);
  // Weak references to these blocks refer to nothing from now on.
  void clear_weak(platform::FunctionRef<bool(uintptr_t block)> includes);
  // The bits hold garbage.
  void clear_weak(const MarkBits& garbage);
  // Roots: queued blocks and arguments. false: out of memory.
  bool add_words(MappedArray<uintptr_t>& words);

  // The garbage is about to be freed: nothing of it is known any more.
  void forget(const MarkBits& garbage);

  // The heap's hooks.
  void released(uintptr_t block);
  bool moved(uintptr_t from, uintptr_t to);

  void before_fork();
  void after_fork_in_parent();
  void reset_after_fork();

 private:
  Note* get(uintptr_t block);
  void drop_if_empty(Note* note);
  static void detach_weak(Note& note);
  void take_back_destructors();

  platform::ForkMutex lock_;
  AddressMap<Note> notes_;
  WeakPool pool_;
  MappedArray<uintptr_t> queue_;  // blocks, those before queue_begin_ are done with
  size_t queue_begin_ = 0;
  std::atomic<size_t> due_count_{0};
  uint64_t last_order_ = 0;
  size_t destructors_ = 0;  // that were ever set
  // Between before_fork and one of the other two: no other thread can be in the middle of running
  // a destructor. Only the forking thread.
  bool alone_ = false;
};

extern Notes notes;

}  // namespace heaprake::collector
