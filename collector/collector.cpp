// The room's public functions, each handed on to the file that does the work.

#include "collector/collector.h"

#include <cstdio>
#include <cstring>

#include "collector/callbacks.h"
#include "collector/carried.h"
#include "collector/cycle.h"
#include "collector/dead_stacks.h"
#include "collector/epolls.h"
#include "collector/figures.h"
#include "collector/finalization.h"
#include "collector/kept_blocks.h"
#include "collector/names.h"
#include "collector/notes.h"
#include "collector/passed_epolls.h"
#include "collector/pins.h"
#include "collector/registrations.h"
#include "collector/session.h"
#include "collector/user_code.h"

namespace heaprake::collector {

void configure(const Options& options) {
  state.options = options;
  state.pacer.set_threshold(options.threshold, options.growth);
}
void start() {
  if (state.options.mode != Mode::kOff) {
    platform::lay_by_address_space();
    state.bits.reserve_tables();
  }
  state.pacer.start();
}
Mode mode() {
  return state.options.mode;
}
void set_listener(Listener listener) {
  state.listener.store(listener, std::memory_order_release);
}

namespace {

// Who asks for a collection wants the memory; otherwise the allocator decides when it goes back.
void give_back_memory(const Outcome& outcome) {
  if (outcome.blocks) heap::trim();
}

// Runs what is due, and reclaims what that has left unreachable.
void finalize(platform::StoppedThread self, Outcome* outcome) {
  if (run_due_finalizers() == 0) return;
  // One of them may have forked, and this be the child.
  self.tid = platform::thread_id();
  run_session(self, Wait::kYes, [&] {
    const Outcome more = run_cycle(Reason::kAfterFinalizers, self, true);
    outcome->blocks += more.blocks;
    outcome->bytes += more.bytes;
  });
}

}  // namespace

Outcome collect(Reason reason, const platform::StoppedThread& caller) {
  Outcome outcome;
  platform::StoppedThread self = caller;
  if (state.options.mode == Mode::kOff) return outcome;
  const bool exits = reason == Reason::kExit;
  if (!exits && UserCode::is_running(self.sp)) return outcome;
  Wait wait = reason == Reason::kThreshold ? Wait::kNo : Wait::kYes;
  // A program that allocates in a handler takes its chance; our own calls are safe there. Where a
  // wait was interrupted freeing would be, too, but finalizers would not: the program may hold
  // locks.
  const bool in_handler =
      exits ? platform::may_have_interrupted_code(self.sp) : platform::may_be_in_handler(self.sp);
  const bool may_free = reason == Reason::kThreshold || !in_handler;
  gc_info info{};
  info.automatic = reason == Reason::kThreshold;
  if (!exits) callbacks.call(GC_PHASE_START, info);
  // A callback may have forked, and this be the child.
  self.tid = platform::thread_id();
  run_session(self, wait, [&] { outcome = run_cycle(reason, self, may_free); });
  if (reason == Reason::kExplicit && may_free) {
    finalize(self, &outcome);
    give_back_memory(outcome);
  }
  // The next allocation does it.
  if (outcome.sweep_pending) outcome.blocks = outcome.bytes = 0;
  info.collected = outcome.blocks;
  info.collected_bytes = outcome.bytes;
  info.finalizers = notes.due_count();
  if (!exits) callbacks.call(GC_PHASE_STOP, info);
  return outcome;
}

Outcome collect_in_handler(const platform::StoppedThread& self, bool may_free) {
  Outcome outcome;
  if (state.options.mode == Mode::kOff) return outcome;
  bool ran =
      run_session(self, Wait::kNo, [&] { outcome = run_cycle(Reason::kCommand, self, may_free); });
  outcome.busy = !ran;
  if (may_free) give_back_memory(outcome);
  return outcome;
}

void poll() {
  if (is_barred()) return;
  platform::reap_copies();
  size_t bytes = heap::take_allocated_bytes();
  Figures::add(figures.allocated_bytes, bytes);
  bool due = state.pacer.note_allocated(bytes, heap::committed_bytes());
  bool pending = state.pending_sweep.load(std::memory_order_relaxed);
  if (!due && !pending) return;
  bool reclaims = state.options.mode == Mode::kCollect || state.options.mode == Mode::kOracle;
  bool collecting = due && reclaims;
  if (!collecting && !pending) return;
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void* arg) {
        platform::StoppedThread self = platform::thread_of_call(*context);
        if (*static_cast<bool*>(arg)) {
          collect(Reason::kThreshold, self);
        } else {
          run_session(self, Wait::kNo, [] { finish_pending_sweep(); });
        }
      },
      &collecting);
}

bool rescue() {
  constexpr size_t kWorthwhile = 1 << 20;
  if (state.options.mode != Mode::kCollect || !state.pacer.automatic()) return false;
  if (state.pacer.allocated() + heap::take_allocated_bytes() < kWorthwhile) return false;
  Outcome outcome;
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void* arg) {
        *static_cast<Outcome*>(arg) =
            collect(Reason::kThreshold, platform::thread_of_call(*context));
      },
      &outcome);
  return outcome.blocks != 0;
}

// A message went by unseen while collections were barred.
static std::atomic<bool> passed_over{false};

void bar(const char* call) {
  if (is_barred() || state.options.mode == Mode::kOff) return;
  platform::show_readiness_for_requests(false);
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void*) {
        run_session(platform::thread_of_call(*context), Wait::kYes,
                    [] { barred.store(true, std::memory_order_release); });
      },
      nullptr);
  char text[160];
  snprintf(text, sizeof text, "no more collections: the program's seccomp filter forbids %s", call);
  tell(Event::kGaveUp, text);
}
void note_passed_over() {
  passed_over.store(true, std::memory_order_release);
}
void unbar() {
  // What a message has carried off meanwhile will never be known.
  if (passed_over.load(std::memory_order_acquire) || !is_barred()) return;
  barred.store(false, std::memory_order_release);
  platform::show_readiness_for_requests(true);
}
bool is_barred() {
  return barred.load(std::memory_order_acquire);
}

void set_enabled(bool on) {
  state.pacer.set_enabled(on);
}
bool enabled() {
  return state.pacer.enabled();
}
bool set_threshold(size_t bytes, unsigned growth) {
  constexpr unsigned kMostGrowth = 10000;
  if (growth > kMostGrowth) return false;
  state.pacer.set_threshold(bytes, growth);
  return true;
}
void get_threshold(size_t* bytes, unsigned* growth) {
  if (bytes) *bytes = state.pacer.threshold();
  if (growth) *growth = state.pacer.growth();
}
size_t allocated_since_collection() {
  return state.pacer.allocated();
}

void note_thread(uintptr_t tcb) {
  dead_stacks.note_thread(tcb);
}
bool add_root(platform::Range range) {
  return pins.add_root(range);
}
bool remove_root(platform::Range range) {
  return pins.remove_root(range);
}
bool pin(const heap::Block& block) {
  return pins.pin(block.address);
}
bool unpin(const heap::Block& block) {
  return pins.unpin(block.address);
}

int set_finalizer(const heap::Block& block, gc_finalizer finalizer, void* arg) {
  return notes.set_finalizer(block.address, finalizer, arg, false);
}
int set_destructor(const heap::Block& block, gc_finalizer destructor, void* arg) {
  return notes.set_finalizer(block.address, destructor, arg, true);
}
bool is_finalized(const heap::Block& block) {
  return notes.is_finalized(block.address);
}
size_t run_finalizers() {
  const auto sp = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (UserCode::is_running(sp) || platform::may_be_in_handler(sp)) return 0;
  return run_due_finalizers();
}
int weak_new(const heap::Block& block, const void* p, gc_weak** out) {
  return notes.weak_new(block.address, reinterpret_cast<uintptr_t>(p), out);
}
bool weak_free(gc_weak* weak) {
  return notes.weak_free(weak);
}
bool is_weak(const gc_weak* weak) {
  return notes.is_weak(weak);
}
void* weak_get(const gc_weak* weak) {
  return reinterpret_cast<void*>(weak->target.load(std::memory_order_relaxed));
}
bool set_type(const heap::Block& block, const char* name) {
  const char* kept = name ? intern(name) : nullptr;
  return !(kept && !*kept && *name) && notes.set_type(block.address, kept);
}
const char* type_of(const heap::Block& block) {
  return notes.type_of(block.address);
}

bool freeze() {
  bool done = false;
  run_session_here(Wait::kYes, [&] { done = frozen.fill(); });
  return done;
}
void unfreeze() {
  run_session_here(Wait::kYes, [] { frozen.clear(); });
}
size_t freeze_count() {
  size_t count = 0;
  if (frozen.any()) run_session_here(Wait::kYes, [&] { count = frozen.count(); });
  return count;
}

size_t list_saved(gc_object* out, size_t capacity) {
  if (!saved.any()) return 0;
  // The caller's buffer may be a page that the program has protected.
  MappedArray<gc_object> kept;
  size_t count = 0;
  run_session_here(Wait::kYes, [&] {
    saved.for_each([&](const heap::Block& block) {
      if (kept.size() < capacity) {
        kept.push({reinterpret_cast<void*>(block.address), heap::offered_size(block),
                   block.leaf ? 1u : 0u});
      }
      count++;
    });
  });
  if (!kept.empty()) memcpy(out, kept.data(), kept.size() * sizeof(gc_object));
  kept.shrink(0);
  return count;
}
void forget_saved() {
  run_session_here(Wait::kYes, [] { saved.clear(); });
}

bool add_callback(gc_callback call, void* arg) {
  return callbacks.add(call, arg);
}
bool remove_callback(gc_callback call, void* arg) {
  return callbacks.remove(call, arg);
}
void set_debug(unsigned flags) {
  state.debug.store(flags, std::memory_order_relaxed);
}
unsigned debug() {
  return state.debug.load(std::memory_order_relaxed);
}

void report_error(const void* p, const char* what) {
  Figures::add(figures.errors_reported, 1);
  const heap::Block block = heap::find_block(reinterpret_cast<uintptr_t>(p));
  const char* type = block ? type_of(block) : nullptr;
  char text[300];
  snprintf(text, sizeof text, "ignored: %.200s, in a finalizer or callback of %p%s%.60s", what, p,
           type ? ", " : "", type ? type : "");
  tell(Event::kWarning, text);
}

bool is_garbage(const heap::Block& block) {
  if (!state.freeing.load(std::memory_order_acquire)) return false;
  const size_t granule = (block.address - heap::geometry.base) / heap::kGranule;
  return state.bits.covers(granule) && state.bits.test(granule);
}

void note_epoll(int fd) {
  epolls.note(fd);
}
void note_new_epoll(int fd) {
  epolls.note_created(fd);
}
void note_own_table() {
  epolls.note_own_table();
}
void note_passed_descriptors(const int* fds, size_t count, const platform::StoppedThread& self) {
  keep_passed_epolls(fds, count, self);
}
void note_userfault() {
  state.userfault.store(true, std::memory_order_relaxed);
}
void add_registration(Registration kind, uint64_t id, uintptr_t word) {
  registrations.add(kind, id, word);
}
void remove_registration(Registration kind, uint64_t id) {
  registrations.remove(kind, id);
}

bool was_condemned(const void* p, const char* call) {
  if (state.options.mode != Mode::kOracle) return false;
  uint8_t byte = state.condemned.take(p);
  if (!byte) return false;
  auto address = reinterpret_cast<uintptr_t>(p);
  heap::restore(heap::Block{address, 0, false}, byte);
  Figures::add(figures.mistakes, 1);
  char text[160];
  snprintf(text, sizeof text, "oracle: block %p (%zu bytes) was condemned, and then used by %s()",
           p, heap::find_block(address).size, call);
  tell(Event::kMistake, text);
  return true;
}

bool was_reclaimed(const void* p) {
  return state.options.poison && state.condemned.contains(p);
}

void get_stats(gc_stats* out) {
  figures.copy_to(out);
}

// A fork handler of the program's that forks in turn finds the locks its own already. Written by
// the thread that forks, under the lock.
static bool fork_took_lock = false;

void before_fork() {
  if (collector_lock.held_by_me()) return;
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void*) {
        if (collector_lock.try_lock()) return;
        platform::enter_region(platform::thread_of_call(*context));
        collector_lock.lock();
        platform::leave_region();
      },
      nullptr);
  fork_took_lock = true;
  notes.before_fork();
  callbacks.before_fork();
  names_lock.before_fork();
}
void after_fork_in_parent() {
  if (!fork_took_lock) return;
  fork_took_lock = false;
  names_lock.after_fork_in_parent();
  callbacks.after_fork_in_parent();
  notes.after_fork_in_parent();
  collector_lock.unlock();
}
void after_fork_in_child() {
  fork_took_lock = false;
  collector_lock.reset_after_fork();
  pins.reset_lock_after_fork();
  names_lock.reset_after_fork();
  callbacks.reset_after_fork();
  notes.reset_after_fork();
  epolls.clear_after_fork();
  registrations.clear_after_fork();
  carried.repair_after_fork();
  figures.begin_in_child();
}

}  // namespace heaprake::collector
