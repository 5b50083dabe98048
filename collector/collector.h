// The collector: what it does, in the order in which it does it. The only header of this room.
//
//   stop the world -> roots -> mark -> (verify) -> garbage = recorded and not marked -> resume ->
//   sweep: free, condemn (oracle), poison or count (hunt)
//
// One collection at a time, under one lock. Nothing here allocates from the heap or calls libc.
// Every function may be called from any thread unless it says otherwise.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/heap.h"
#include "heaprake/gc.h"
#include "platform/platform.h"

namespace heaprake::collector {

enum class Mode { kCollect, kHunt, kOracle, kOff };
// kAfterFinalizers: the second half of an explicit one.
enum class Reason { kExplicit, kThreshold, kCommand, kExit, kAfterFinalizers };

struct Options {
  Mode mode = Mode::kCollect;
  size_t threshold = 32u << 20;
  unsigned growth = 100;   // percent
  unsigned markers = 0;    // 0: one per processor
  unsigned alignment = 0;  // of words that count: 1, 4 or 8; 0: 4 when reclaiming, 8 in hunt
  unsigned tags = 0;       // upper bits of a word that are no part of an address
  bool trust = false;      // collect even where a library is known to hide pointers
  bool verify = false;
  bool poison = false;
};

// Once, before the first collection can start. Automatic collection begins with start().
void configure(const Options& options);
void start();
Mode mode();

// What happens, told to whoever prints. Called by the collecting thread while the world runs, with
// signals blocked; must not allocate. `text` has no newline.
enum class Event { kCollected, kGaveUp, kVerifierMiss, kMistake, kWarning, kDebug };
using Listener = void (*)(Event event, const char* text);
void set_listener(Listener listener);

struct Outcome {
  bool completed = false;  // false: given up, nothing was changed
  size_t blocks = 0;       // reclaimed, condemned, or (hunt) found unreachable
  size_t bytes = 0;
  bool sweep_pending = false;
  bool busy = false;  // in a handler: not tried, since a collection was running
  bool cut = false;   // a snapshot that its file could not take whole
};

// A whole collection, callbacks included; an explicit one runs finalizers that are due and reclaims
// what they leave. `self` is what the calling thread holds. From within a callback or finalizer
// only kExit does anything.
Outcome collect(Reason reason, const platform::StoppedThread& self);
// The same from a signal handler that may have interrupted the allocator: marks now and leaves the
// freeing to the next allocation (sweep_pending), unless `may_free`.
Outcome collect_in_handler(const platform::StoppedThread& self, bool may_free);
// From the allocator's poll hook: collects if the thresholds say so; finishes a pending sweep.
void poll();
// From the allocator when memory is out: collects unless nothing can have become garbage since the
// last collection, or automatic collection is off. true: blocks were freed.
bool rescue();

// Automatic collection.
void set_enabled(bool on);
bool enabled();
bool set_threshold(size_t bytes, unsigned growth);
void get_threshold(size_t* bytes, unsigned* growth);
size_t allocated_since_collection();

// The program is about to forbid a system call that collecting needs, `call` by name: once this
// returns no collection runs or will begin, and the process answers no requests.
void bar(const char* call);
// It did not come to that. Collections stay barred if a message was passed over meanwhile.
void unbar();
void note_passed_over();
bool is_barred();

// Census: how many aligned words refer to the block, and where they are. false: not stopped.
bool count_references(const heap::Block& block, const platform::StoppedThread& self, size_t* count);
bool list_references(const heap::Block& block, const platform::StoppedThread& self,
                     gc_reference* out, size_t capacity, size_t* count);
// The blocks that `block` refers to, in the order of its words.
size_t list_referents(const heap::Block& block, uintptr_t* out, size_t capacity);

// Memory below a thread's stack pointer is dead only if nothing else lives in that stack. These say
// where that cannot be known any more: in threads' stacks (the program brings its own, or leaves
// out the guard page), or in any (it makes contexts, whose stacks may be arrays in a frame).
inline constexpr uint8_t kCustomThreadStacks = 1, kCustomContexts = 2;
// A bit is set and stays. A plain byte, since makecontext's entry (shim/contexts.S) sets it too.
extern "C" uint8_t heaprake_custom_stacks;

// libc has made a thread; its id is the address of its control block.
void note_thread(uintptr_t tcb);

// Extra roots and pins.
bool add_root(platform::Range range);
bool remove_root(platform::Range range);
bool pin(const heap::Block& block);
bool unpin(const heap::Block& block);

// --- Pointers that only the kernel holds. Any thread, any time, signal handlers too; errno is
// kept.

// The descriptor is used as an epoll: before the first call that registers something there. An
// epoll has been made and has this number.
void note_epoll(int fd);
void note_new_epoll(int fd);
// A thread has got a table of descriptors of its own.
void note_own_table();
// Descriptors have been sent to somebody (SCM_RIGHTS), who may be this process again, later, when
// nobody here has the epoll open: what is registered there now is kept for good. The caller is
// `self`. Descriptors that are no epolls cost little.
void note_passed_descriptors(const int* fds, size_t count, const platform::StoppedThread& self);

// The program answers for pages of its memory (userfaultfd) from now on.
void note_userfault();

// A word that the kernel holds until it is removed, or another one added with the same id.
enum class Registration : uint64_t { kTimer, kQueue };
void add_registration(Registration kind, uint64_t id, uintptr_t word);
void remove_registration(Registration kind, uint64_t id);

// A message, or a part of a stream: the first `bytes` bytes of its pieces have gone through.
struct Transfer {
  int fd;  // or one of the two below, which need no descriptor to tell what they are
  const iovec* pieces;
  size_t count;
  size_t bytes;
};
inline constexpr int kPosixQueue = -2, kSystemVQueue = -3;
// After the call, before the program goes on; the caller's frame must still hold the pieces.
// `early_before`: heaprake_early_receipts before the call.
void message_sent(const Transfer& transfer, uint64_t early_before);
void message_received(const Transfer& transfer);
// The bytes of one pipe are now in another one, too.
void message_copied(int from, int to, uint64_t early_before);
// False for nearly all messages in one piece: these need not be shown to the two above.
bool may_carry(const void* bytes, size_t size);
// How many words were received before their senders had come back.
extern "C" std::atomic<uint64_t> heaprake_early_receipts;
// Whether anything was ever under way: until then nobody needs to call message_received or
// signal_arrived. Never goes back, since a sender may be about to add what has been received.
extern "C" bool heaprake_words_carried;

// The value of a signal that the program sends to itself: before it is sent, when that failed, and
// when it has arrived.
void signal_queued(uintptr_t value);
void signal_not_queued(uintptr_t value);
void signal_arrived(uintptr_t value);

// Once, before the first message, when the heap is there: the program's own image, which is there
// as long as it lives.
void set_image(platform::Range image);

// --- What is known of single blocks (notes.h). Arguments are blocks that exist.
// 0 or an errno value: EALREADY (its finalizer is due, or has run), ENOMEM. nullptr takes it back.
int set_finalizer(const heap::Block& block, gc_finalizer finalizer, void* arg);
// In its place: weak references to the block are cleared when it is due.
int set_destructor(const heap::Block& block, gc_finalizer destructor, void* arg);
bool is_finalized(const heap::Block& block);
size_t run_finalizers();
// The same one for the same address; freed as often. 0 or an errno value: EALREADY (its destructor
// is due, or has run), ENOMEM.
int weak_new(const heap::Block& block, const void* p, gc_weak** out);
bool weak_free(gc_weak* weak);
bool is_weak(const gc_weak* weak);
// Of one that is.
void* weak_get(const gc_weak* weak);
// A copy of the name is kept for ever. nullptr takes it back.
bool set_type(const heap::Block& block, const char* name);
// nullptr if nothing is known. For reports, the snapshot writer's included: any thread, any time,
// while the world is stopped too.
const char* type_of(const heap::Block& block);

// --- Sets of blocks that every collection keeps.
bool freeze();
void unfreeze();
size_t freeze_count();
// Kept by GC_DEBUG_SAVEALL: how many there are; fills at most `capacity`. And let go of them.
size_t list_saved(gc_object* out, size_t capacity);
void forget_saved();

bool add_callback(gc_callback call, void* arg);
bool remove_callback(gc_callback call, void* arg);
void set_debug(unsigned flags);
unsigned debug();
// An error in the program's own code that there is nobody to tell of.
void report_error(const void* p, const char* what);

// Oracle mode and poison: the program has handed in an address that the heap does not record. If it
// is a block that was condemned, counts a mistake, puts it back and returns true.
bool was_condemned(const void* p, const char* call);
bool was_reclaimed(const void* p);  // poison mode: reclaimed by the collector, not by the program

// Whether the block has been found unreachable and will be freed, now or by the next allocation.
// Nobody may be given its address any more.
bool is_garbage(const heap::Block& block);

// A snapshot (heaprake/snapshot.h): what is reachable and what is not, and who refers to whom.
struct SnapshotPlan {
  int fd = -1;          // where to; -1: it is only counted
  bool all = false;     // reachable blocks, and the roots' references, too
  bool copy = false;    // let a copy of the process mark and write, if one can be made: the program
                        // stands still no longer than that takes. The outcome is not known then.
  bool wait = true;     // for a running collection; a signal handler must not (outcome.busy)
  bool explain = true;  // if the world cannot be stopped write a snapshot that only says why
  bool inherited = false;         // what a forked child has lost of what it inherited counts, too
  const char* why_not = nullptr;  // do not look at memory, only write this reason
  const char* suppressions = "";  // in LeakSanitizer's formats, the program's
  const char* options = "";
};
// `begin` is called before the first byte, by the process that writes: with false, if nothing is
// going to follow. Not called if the outcome is busy.
Outcome take_snapshot(const SnapshotPlan& plan, const platform::StoppedThread& self,
                      platform::FunctionRef<void(bool follows)> begin);
// Once, at start: times in snapshots count from here.
void note_process_start();

void get_stats(gc_stats* out);

// fork: prepare takes the collector's lock, parent gives it back, child starts afresh.
void before_fork();
void after_fork_in_parent();
void after_fork_in_child();

}  // namespace heaprake::collector
