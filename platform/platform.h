// The contract between heaprake and the operating system: the header of this room, with those of
// its own that it includes.
//
// Nothing behind it allocates from the heap, throws, takes a lock that the program may hold, or
// calls a libc function that does. It uses raw system calls and assembly only, so errno is never
// touched. Every function may be called from a signal handler unless its comment says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

#include "platform/descriptors.h"
#include "platform/files.h"
#include "platform/function_ref.h"
#include "platform/huge_pages.h"
#include "platform/locks.h"
#include "platform/signals.h"

namespace heaprake::platform {

struct Range {
  uintptr_t lo = 0;
  uintptr_t hi = 0;  // one past the end
  bool contains(uintptr_t p) const { return p - lo < hi - lo; }
  size_t size() const { return hi - lo; }
};

// ---------------------------------------------------------------------------------------- memory

inline constexpr size_t kPageSize = 4096;

// Address space without memory (PROT_NONE, not accounted), aligned to `alignment` (a power of two,
// at least a page). Core files leave it out. `hint` is where it should lie, 0 for anywhere. nullptr
// on failure. Everything that these three hand out is "ours": for_each_mapping never shows it.
void* reserve(size_t bytes, size_t alignment, uintptr_t hint);
// Makes pages of a reservation readable; they read as zero and still are not accounted.
bool make_readable(void* p, size_t bytes);
// Makes pages of a reservation readable and writable (zero when first touched). Idempotent.
bool commit(void* p, size_t bytes);
// A readable and writable private mapping, zeroed. nullptr on failure.
void* map(size_t bytes);
// Gives the memory of whole pages back; they stay accessible and read as zero.
void discard(void* p, size_t bytes);
// Undoes reserve or map (whole or in part).
void release(void* p, size_t bytes);
// mlockall(2) and munlockall(2) for the program: 0 or an error number. Its own mappings are locked
// as the kernel would; of ours what is committed, now and later, each page once it is touched.
int lock_memory(int flags);
int unlock_memory();
// RLIMIT_AS, or SIZE_MAX when there is none. In valgrind never more than it can keep books of.
size_t address_space_limit();
// Once, at start: address space for `map` in case the program lowers that limit.
void lay_by_address_space();
// Declares [lo, hi) as ours: the library's own data segment.
void claim_own(Range range);

// -------------------------------------------------------------------------------------- mappings

struct Mapping {
  Range range;
  bool readable, writable, executable, shared;
  bool file_backed;        // has a device and inode (a deleted file and a memfd included)
  bool device;             // a device file whose reads may have side effects: never read it
  bool kept_in_memory;     // known by its name: no file on a disk stands for it
  bool main_stack;         // "[stack]"
  uint64_t offset, inode;  // in that file, and of it
  const char* name;        // path or "[label]", "" if none; valid during the visit only
};

enum class Pages {
  kTouched,  // of a private mapping: present or swapped out (the kernel's page of zeros is not)
  kPrivate,  // of these, the ones that belong to this process alone (anonymous or written)
  kHidden,   // of a private mapping that may not be read: as kTouched, but none where the kernel
             // cannot tell, since such mappings may be as large as the address space
  kShared,   // of a shared mapping: that hold something, whoever wrote it. This process's page
             // tables do not tell: a forked child begins without entries for them, and they may be
             // dropped
  kSharedFile,  // of a shared mapping of a file on a disk: that are in memory
};

// Of which pages something is asked: see AddressSpace::for_each_touched.
struct PageQuery {
  Range range;
  Pages which;
};

// A private mapping so large that its pages are not looked for one by one, if that can be avoided.
struct LargeMapping {
  Range range;
  bool touched;  // may have pages of Pages::kTouched
  bool written;  // may have pages of Pages::kPrivate
  bool swapped;  // some of them are swapped out
};

// Read once, then asked by any thread; true as long as the world stands still.
class LargeMappings {
 public:
  static constexpr size_t kLarge = size_t{64} << 30;
  LargeMappings() {}  // an AddressSpace that is only asked for bytes should cost nothing
  void read();
  // The one that contains all of the range, if it is known.
  const LargeMapping* find(Range range) const;

 private:
  void add_line(const char* line, size_t length);
  static constexpr size_t kMost = 32;  // those after it are not known
  LargeMapping mappings_[kMost];       // the first count_
  size_t count_ = 0;
};

// The process's mappings as the kernel tells them. Open it, use it, close it while the world is
// stopped; it holds two descriptors meanwhile, both close-on-exec.
class AddressSpace {
 public:
  // false when /proc is not readable or descriptors have run out.
  bool open();
  void close();
  // In address order, what is ours cut out. Stops when the visitor returns false. Returns false
  // when the list could not be read to the end.
  bool for_each_mapping(FunctionRef<bool(const Mapping&)> visit) const;
  // The same, and what is ours as well, in pieces that are either wholly ours or not at all.
  bool for_each_piece(FunctionRef<bool(const Mapping&, bool ours)> visit) const;
  // The parts of [lo, hi) whose pages exist, merged and page-aligned outwards. Where the kernel
  // cannot tell, the whole range is reported.
  void for_each_touched(Range range, Pages which, FunctionRef<void(Range)> visit) const;
  // The same for several ranges, which do not overlap, in address order; visit learns which of them
  // a part belongs to. Neighbours are asked for together, which takes the kernel less time.
  void for_each_touched(const PageQuery* queries, size_t count,
                        FunctionRef<void(size_t query, Range)> visit) const;
  // Copies memory that may fault when read: a truncated file's mapping, pages without permission
  // (these it can read nevertheless). Returns how many bytes came before the first page that could
  // not be read. Also without open().
  size_t read_guarded(void* to, uintptr_t from, size_t bytes) const;
  // Whether reading the touched pages of some shared mapping may wait for the program, which stands
  // still: the program answers for its pages (userfaultfd), and has not done so for all. Slow.
  bool waits_for_program() const;

 private:
  void ask_page_by_page(const PageQuery& query, uintptr_t done,
                        FunctionRef<void(Range)> visit) const;

  int maps_ = -1;
  int pagemap_ = -1;
  LargeMappings large_;  // empty unless pagemap may not be read
};

// The file of a shared mapping, if its path still leads there; not of a deleted file, nor of one in
// another name space.
struct SharedFile {
  uint64_t mapped;  // bytes of it that lie in the mapping
  uint64_t held;    // bytes that it takes: what has never been written takes none
};
bool find_shared_file(const Mapping& mapping, SharedFile* file);
// From now on that is not asked: the program's seccomp filter would end it for that.
void forbid_questions_to_files();

// --------------------------------------------------------------------------------------- threads

int process_id();  // the kernel's answer, never a cached one
int thread_id();
bool is_alone();  // the calling thread has no other beside it; false if that cannot be told
unsigned processor_count();  // that this process may run on
uint64_t monotonic_ns();
// What the calling thread has used of the processor.
uint64_t thread_cpu_ns();
uint64_t realtime_ns();
void sleep_ms(unsigned ms);

// The registers that a call preserves, as they were at the entry of a function, and the stack
// pointer just above its return address. Filled by assembly stubs.
struct CallContext {
  uintptr_t rbx, rbp, r12, r13, r14, r15;
  uintptr_t sp;
};
static_assert(sizeof(CallContext) == 56, "shim/api_entry.S writes this layout");

// Calls fn(context, arg) with the caller's preserved registers and stack pointer.
extern "C" void heaprake_with_context(void (*fn)(const CallContext*, void*), void* arg);

// How a thread came to stand still, which decides where its innermost frame is.
enum class StandForm : uint8_t {
  kSignal,  // interrupted by a handler: all registers
  kCall,    // in a call of ours: those that a call preserves
  kRegion   // in a libc call (heaprake_region_call has pushed them): none
};

// What one thread that stands still holds outside memory that for_each_mapping shows.
struct StoppedThread {
  int tid;
  StandForm form;
  uintptr_t sp;        // the lowest address of its stack that is in use, red zone included
  Range registers;     // general registers as words; empty when they are on the stack above sp
  Range vectors;       // vector registers as words; may be empty
  uintptr_t tcb;       // thread control block (FS base); 0 if unknown
  uintptr_t gs;        // GS base, which is the program's own (Wine's: its thread block)
  uintptr_t altstack;  // base of its alternate signal stack, 0 if none
  uint64_t blocked;    // signals that it blocks itself; known of kSignal alone
};

enum class StopOutcome {
  kStopped,
  kUnstoppable,   // a thread did not stop within the bound
  kNoThreadList,  // it could not be read: descriptors have run out, perhaps
  kNoProc,        // there is none, nor will be soon: /proc is not mounted
  kOtherProc,     // /proc is another PID namespace's, which knows the threads by other numbers
  kForeign,  // this process shares its memory with others that cannot be stopped (vfork, clone)
};

struct World {
  const StoppedThread* threads;  // the caller comes first; valid until resume_world
  size_t count;
  uint64_t stop_ns;
};

// Stops every other thread of the process. One caller at a time (hold a lock); the caller has
// blocked all signals (block_signals). `self` is what the caller itself holds. On any outcome but
// kStopped the world runs as before. Threads inside a safe region are not signalled.
StopOutcome stop_world(const StoppedThread& self, World* world);
void resume_world();

// In a signal handler: the interrupted thread's registers as a StoppedThread.
StoppedThread thread_of_ucontext(const void* ucontext);
StoppedThread thread_of_call(const CallContext& context);

// Runs fn(arg, 0) on the caller and fn(arg, 1..count-1) on helpers that exist only meanwhile;
// returns how many took part (at least 1). Only while the world is stopped. fn must not use
// thread-local storage.
unsigned run_parallel(unsigned count, void (*fn)(void* arg, unsigned index), void* arg);
// For one of them that waits for the others, and has called this `times` before in a row: lets
// whoever else wants the processor have it, and after a while sleeps for 50 us each time.
void yield(unsigned times = 0);

// Runs fn(arg) on a large stack of our own, so that the caller may stand on a tiny one. One caller
// at a time. Falls back to the caller's stack when memory is out.
void run_on_own_stack(void (*fn)(void*), void* arg);
// The same on another one, for what a process does once and may do where a collection begins from:
// its last report; and for a forked child before anything else. All signals are blocked.
void run_on_spare_stack(void (*fn)(void*), void* arg);

// Runs fn(arg) in a copy of the process as it is now, as fork makes one, and ends it. The program
// never learns of it: no SIGCHLD, no waitpid, no fork handlers. Only while the world is stopped and
// all signals are blocked; the copy has the calling thread alone, every lock as it is, and of the
// descriptors only `keep`. Returns when it has closed the others; what it does then runs beside the
// program. false: there is no copy (no memory, too many processes, forbidden).
bool run_in_copy(int keep, void (*fn)(void*), void* arg);
// Forgets copies that have ended: until then the kernel keeps an entry for each. Costs next to
// nothing when there is none. Any thread.
void reap_copies();
void forget_copies_after_fork();
// From now on there are none: the program's seccomp filter would end it for making one.
void forbid_copies();

enum class CopyGaps {
  kKnown,
  kForbidden,  // a copy cannot be made while the world is stopped: someone must answer for it first
  kUnknown     // the kernel does not tell
};
// The mappings that a copy would not have, or with other content (MADV_DONTFORK, MADV_WIPEONFORK).
CopyGaps for_each_copy_gap(FunctionRef<void(Range)> lacks);
// A debugger is attached: it would take the copy for a thread.
bool is_traced();

// Installs the stop signal's handler, or again after libc has installed its own for setuid.
// Called at start, after the first pthread_create, and by stop_world itself.
void install_stop_signal();

// Once at start and in a forked child: forgets other threads, remembers the process id.
void start_threads();
void reset_threads_after_fork();
// The program has clone'd a process that shares its memory: no world can be stopped any more.
void note_foreign_sharer();
// +1 before a thread vforks, -1 when it goes on: between the two a child runs on that thread's
// stack and thread-local storage and cannot be stopped, so stop_world answers kForeign at once. The
// shim keeps such a child out of safe regions.
void note_vfork(int change);
// The calling thread has set its alternate signal stack (0: none any more).
void note_altstack(uintptr_t base);
// The calling thread has set its GS base by a system call.
void note_gs_base();

// `heaprake collect PID` and its like: called on the interrupted thread, with all signals blocked,
// with the cookie that the command queued. `may_free` tells that the thread was blocked in a libc
// call and not in a handler of the program's, which might have interrupted the allocator.
using RequestHandler = void (*)(uint64_t cookie, const void* ucontext, bool may_free);
void set_request_handler(RequestHandler handler);
// Whether a command may send its signal, which shows in the process's map (heaprake/protocol.h).
// Off at first, and in whatever the process executes.
void show_readiness_for_requests(bool ready);
// From now on it is off: the program's seccomp filter would end it for answering.
void forbid_requests();

// First of all at start, before any other call of this room; later ones do nothing. Whether there
// is a seccomp filter that was installed before the program began, and not for a whole container:
// it may end the process for any call. Then the library makes hardly any, and no world may be
// stopped, unless the filter is trusted after all, before the first thread.
void notice_inherited_filter();
bool has_unknown_filter();
void trust_inherited_filter();

// The name of a system call of ours that would not be survived under a seccomp filter which the
// program is about to install (its struct sock_fprog); nullptr if there is none.
const char* call_that_filter_ends(const void* filter_program);
// Before such a filter is installed by the calling thread: asks now what is asked of the kernel
// otherwise, so that the program's own calls and blocks need no call that may be forbidden.
void prepare_for_filter();

// ---------------------------------------------------------------------------------- safe regions
//
// A thread inside a safe region is in a libc call that may block. It has published its stack
// pointer and preserved registers, touches no block (but what the kernel writes for it), and parks
// on its way out while the world is stopped. stop_world never signals it, so it sees no EINTR.
//
// Entering:  publish sp; state = safe;  if (stopping) park;      Leaving:  state = running;
//            compiler barrier between the two                              if (stopping) park
// Stopping:  stopping = 1; membarrier; read the states. Whoever read stopping == 0 on entering is
// seen as safe; whoever is seen as running has not entered, or will park before it enters.

// Wrappers jump here (tail jump, stack as at their own entry) with the real function's address in
// %r11 and its arguments in place: at most six integer arguments in registers. Makes the call
// inside a safe region, keeps errno, returns what it returned. The arguments stay visible to the
// scanner meanwhile. Unwinding through it (pthread_cancel, pthread_exit in a handler) leaves the
// region.
extern "C" void heaprake_region_call();

// Work for a thread that is about to wait: while it is wanted, whoever enters a region calls the
// hook first, inside the region, so with the world stopped too, and in signal handlers. Set the
// hook before the first want_idle.
using IdleHook = void (*)();
void set_idle_hook(IdleHook hook);
void want_idle(bool wanted);

// True if, since this thread entered its current or last safe region, our own signal (a command's
// request, or a stop that did not trust regions) interrupted it and no handler of the program's
// ran: then an EINTR is ours to hide. Reading it clears it.
bool interrupted_by_us_alone();

// A handler of the program's interrupts a thread inside a region: the handler must run as outside.
// Call before the handler (parks while the world is stopped; true if the thread was inside), with
// the place where its return address stands and what the kernel passed to it (or null), and after
// it if it was inside. A longjmp out of the handler needs nothing more.
struct SavedRegion {
  uintptr_t sp = 0;
  bool inside = false;
  bool outermost = false;  // of the handlers of its kind
  bool deferred = false;   // by defer_signal: there is nothing to call
  int process = 0;         // whose region it is: a handler may fork
};
static_assert(sizeof(SavedRegion) == 16 && offsetof(SavedRegion, inside) == 8 &&
                  offsetof(SavedRegion, deferred) == 10,
              "returned in %rax and %rdx, where shim/signals.S looks at it");
SavedRegion leave_region_for_handler(const uintptr_t* return_address, const void* ucontext);
void reenter_region_after_handler(SavedRegion saved);
// Whether the calling thread, its stack in use down to `sp`, may be in a handler of the program's;
// and whether in one that interrupted code outside any region, which may have been the allocator's.
// Both err on the side of yes.
bool may_be_in_handler(uintptr_t sp);
bool may_have_interrupted_code(uintptr_t sp);

// The code of the trampolines through which every handler of the program's runs (the shim's, one
// small entry a handler). A handler in the kernel's table that lies neither there nor is default,
// ignored or libc's own makes stop_world distrust all regions and signal every thread.
void set_trusted_signal_entries(Range entries);

// Pairs for threads that wait for a lock of ours: inside, the caller counts as stopped. Everything
// of the program's that the caller holds must lie at or above the sp of `self`, or in `self`.
void enter_region(const StoppedThread& self);
void leave_region();

// --------------------------------------------------------------------------- the end, the command

// Ends the process as abort() does, without running anything of the program's.
[[noreturn]] void abort_process();
// Ends it as the signal's default action does. Signals may be blocked.
[[noreturn]] void die_of(int signal);

// Connects to the abstract Unix socket "heaprake-<cookie in hex>", checks that its owner is this
// user or root, and sets time-outs of two seconds. -1 on failure.
int connect_to_command(uint64_t cookie);

}  // namespace heaprake::platform
