// The heap: every block that malloc and its relatives hand out, and the map that records them.
// With ledger.h the only header of this room; nothing outside it includes mimalloc.h.
//
//   range   [base ........................................................ base + size)
//            mimalloc's arena                              | wide blocks (wide.cpp)
//   map     one byte per 16-byte granule: zero, but at a block's start
//
// The byte at a start says how long the block is:
//     1 ... 252  that many granules            kLarge  length in large_bytes[]
//     kTitled    length and flags in the 16-byte title just before the block
//     kNoted     someone knows more of the block (notes.cpp); one of the above stands aside
// malloc = mi_malloc + one plain store; free = one plain store + mi_free. A thread may be stopped
// between the two: a block whose byte is zero does not exist for the collector, so it is never
// swept. Concurrent reads, single writer: only the thread that allocates or frees a block writes
// its byte; the collector writes it for garbage, which no thread can reach.
#pragma once

#include <immintrin.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "allocator/granule_bytes.h"
#include "platform/platform.h"

namespace heaprake::heap {

inline constexpr size_t kGranule = 16;
inline constexpr size_t kSliceSize = 64 * 1024;  // unit of the used-slice table and of iteration
inline constexpr uint8_t kMaxSmallGranules = 252;
inline constexpr uint8_t kNoted = 253;
inline constexpr uint8_t kTitled = 254;
inline constexpr uint8_t kLarge = 255;
inline constexpr size_t kMaxSmall = kMaxSmallGranules * kGranule;

// Whether the ledger (ledger.h) keeps the call stack of every allocation, keeps it but looks at its
// outer frames less often, or leaves it out.
enum class Stacks { kFull, kAdaptive, kOff };

struct Config {
  bool pad = false;         // one byte more for every block, so that its end lies inside
  bool huge_pages = false;  // a large heap grows by huge pages, if the system leaves it to programs
  bool ledger = false;      // mode hunt: keep a ledger, whose entries are a pad of their own
  Stacks stacks = Stacks::kFull;
  unsigned depth = 64;            // frames of a stack that are kept
  platform::Range own_code = {};  // whose frames are left out of it
};

// Where things are. Written once by init before the first block exists; all zero until then.
struct Geometry {
  uintptr_t base;
  size_t size;
  uint8_t* map;           // byte of granule g is map[g], g = (address - base) / kGranule
  uint64_t* large_bytes;  // by (address - base) / 2048: at most one large block starts there
  uint64_t* slice_owner;  // by slice: start of the block that covers its first byte, or stale
  uint8_t* slice_used;    // by slice: 1 once it may hold blocks (memory committed), never back
};
extern Geometry geometry;

struct Block {
  uintptr_t address = 0;
  size_t size = 0;  // what is scanned: what is offered, and the pad
  bool leaf = false;
  explicit operator bool() const { return address != 0; }
};

// Once; later calls do nothing. false: no address space (then every allocation fails with ENOMEM).
// Until init has been called every allocation fails with ENOMEM too, it never initialises the heap
// by itself: the shim tests the result, reads its options, calls init with them and tries again, so
// that the first use costs the fast path nothing. Under RLIMIT_AS or strict overcommit the range is
// smaller.
bool init(const Config& config);
bool ready();

// --- Blocks. Contracts are glibc's: 16-byte alignment, errno ENOMEM on failure, sizes above
// PTRDIFF_MAX fail; release keeps errno. None of them calls new-handlers or aborts.
void* allocate(size_t size);                            // inline, below
void* allocate_zeroed(size_t count, size_t size);       // ENOMEM on overflow
void* allocate_aligned(size_t alignment, size_t size);  // any power of two
void* allocate_leaf(size_t size);                       // not scanned
// A plain block for realloc(p, n), n > 0: grows or shrinks p; the old block stays recorded until
// the new one is, since its content may be the only path to its children. nullptr leaves p as it
// is.
void* reallocate(void* p, size_t size);

// What release, reallocate and usable_size make of a bad address.
enum class Misuse {
  kNone,
  kOutside,    // not in our range
  kInterior,   // inside a block, not its start
  kUnrecorded  // in the range, no block: freed already, or never one
};
// Calls the misuse handler and does nothing else if p is not the start of a block; nothing at all
// if it is null.
void release(void* p);  // inline, below
size_t usable_size(void* p);
Misuse classify(const void* p);

// Called for every bad address before anything is changed. `call` is "free", "realloc" or
// "malloc_usable_size". It returns true if it has dealt with the address (oracle mode: a condemned
// block has been put back on the map, and the operation is tried again), false to ignore the call.
using MisuseHandler = bool (*)(const void* p, const char* call);
void set_misuse_handler(MisuseHandler handler);

// --- The collector's side. Safe at any time; exact while the world is stopped.
// The block that contains address p, or an empty one. Any address will do.
Block find_block(uintptr_t p);
// The block that starts at granule g, whose byte is not zero.
Block block_at(size_t granule);
// What malloc_usable_size says of it.
size_t offered_size(const Block& block);
// The size that the program asked for (with a ledger), else the block's size.
size_t requested_size(const Block& block);
// Number of slices from base on that may hold blocks; none beyond it was ever used.
size_t slice_limit();
// The first slice at or after `slice` that may hold blocks, slice_limit() if there is none. Wide
// blocks lie at the top of the range: who goes over all slices must not look at every one in
// between.
size_t next_used_slice(size_t slice);

// Every recorded block, in address order, until visit(const Block&) returns false. Exact while the
// world is stopped; otherwise blocks that come or go meanwhile may be seen or not.
template <class Visit>
void for_each_block(Visit visit) {
  constexpr size_t kGranulesPerSlice = kSliceSize / kGranule;
  for (size_t slice = next_used_slice(0); slice < slice_limit();
       slice = next_used_slice(slice + 1)) {
    for (size_t at = slice * kGranulesPerSlice; at < (slice + 1) * kGranulesPerSlice; at += 16) {
      const auto* bytes = reinterpret_cast<const __m128i*>(geometry.map + at);
      unsigned starts = ~static_cast<unsigned>(_mm_movemask_epi8(
                            _mm_cmpeq_epi8(_mm_load_si128(bytes), _mm_setzero_si128()))) &
                        0xffffu;
      for (; starts; starts &= starts - 1) {
        Block block = block_at(at + static_cast<size_t>(std::countr_zero(starts)));
        // A block freed since its byte was read reads as an empty one.
        if (block && !visit(block)) return;
      }
    }
  }
}

// The memory of one used slice that holds blocks, for who reads all of it at once: `filled` gets
// ranges, most of them of whole pages. Between and behind the blocks there may be free memory in
// them: what stands there means nothing, but it can be read, unless the program has protected it.
// Blocks of `apart` bytes or more lie in no range; `large` gets them, each in the slice where it
// begins. All in the order of addresses. World stopped.
void visit_filled(size_t slice, size_t apart, platform::FunctionRef<void(platform::Range)> filled,
                  platform::FunctionRef<void(const Block&)> large);

// Sweeping: take the block off the map (returns its byte, to restore it), or free its memory after
// that. Any thread; the block must be garbage. restore makes it exist again. A program that has
// hidden its pointers may free garbage at the same time: both bytes are 0 if it is gone.
uint8_t recorded_byte(const Block& block);
uint8_t unrecord(const Block& block);
void restore(const Block& block, uint8_t byte);
void free_unrecorded(const Block& block, uint8_t byte);
struct Freed {
  size_t blocks = 0, bytes = 0;
  size_t gone = 0;  // freed by the program meanwhile; in no other figure
};
// The garbage of one slice, whose granule g has bit g % 64 of bits[g / 64]: all that is small and
// neither titled nor noted, and its bits are cleared first. What is left is another's business.
Freed free_garbage(size_t slice, uint64_t* bits);

// --- Notes: someone else, the hooks' owner, knows more of a block than its length. Its byte says
// so, so that release and reallocate leave their fast paths for it and tell the hooks. Other blocks
// pay nothing. All three: one caller at a time, who cannot be stopped meanwhile.
// false: out of memory, or there is no such block.
bool note(uintptr_t block);
void unnote(uintptr_t block);
bool is_noted(uintptr_t block);
struct NoteHooks {
  void (*released)(uintptr_t block);  // about to be freed by the program
  // By realloc, to another place or to another length. false: out of memory, it fails.
  bool (*moved)(uintptr_t from, uintptr_t to);
};
void set_note_hooks(const NoteHooks* hooks);

// --- Pacing. The allocator calls the hook on its slow path, once a thread has allocated 64 KiB
// since the last time; anything may be done there, allocation and collection included.
using PollHook = void (*)();
void set_poll_hook(PollHook hook);
// Around functions of the program's that a hook calls: they may never return to it (longjmp). What
// leave_hook gives back goes to return_to_hook when they do.
struct LeftHook {
  bool polling, deferring;
};
LeftHook leave_hook();
void return_to_hook(LeftHook left);
// Called before an allocation fails for want of memory. true: some has been reclaimed, try again.
using RescueHook = bool (*)();
void set_rescue_hook(RescueHook hook);
// Bytes that the calling thread allocated since it last asked.
size_t take_allocated_bytes();

// Gives memory of freed blocks back to the system: the calling thread's and what exited threads
// left. Returns true if anything might have been given back; false in a child forked by a program
// with threads. Without it, memory goes back within about a second while the program allocates.
bool trim();
// Bytes of memory committed for blocks now: an atomic load.
size_t committed_bytes();
// The same, and the bytes of recorded blocks (a pass over the map).
struct Usage {
  size_t committed, used, blocks;
};
Usage usage();

// fork, on the forking thread: before_fork, then one of the other two, before any block is
// allocated or freed. No other call of this room in between.
void before_fork();
void after_fork_in_parent();
void reset_after_fork();  // in the child

// To be set before the program's first dlopen or dlmopen. Constructors run under the loader's lock:
// a thread that allocates for the first time must not wait for it, since one of them may wait for
// the thread.
extern "C" bool heaprake_loader_used;

// --- The fast paths. Here so that the exported functions contain them whole, without a stack
// frame.

namespace fast {

struct alignas(64) Table {
  uintptr_t base;
  uint8_t* map;        // geometry.map, moved down so that address / kGranule indexes it
  size_t granules;     // of the range; 0 before init: no address is in it
  size_t allocatable;  // blocks of at most so many granules are allocated here; 0 before init
  size_t pad;          // added to every size: bytes at every block's end that are not the program's
  bool ledger;         // every block gets an entry
};
extern Table table;

// Bytes allocated by this thread since take_allocated_bytes.
extern __thread size_t allocated_bytes;

// A block of at most 64 granules that mimalloc has at hand, or nullptr.
extern "C" void* heaprake_mimalloc_pop(size_t bytes);
extern "C" void heaprake_mimalloc_free(void* p);

void* allocate_uncommon(size_t size);
void release_uncommon(void* p);

}  // namespace fast

// allocate, if mimalloc has a block of that size at hand; else nullptr, and nothing has happened.
inline void* allocate_at_hand(size_t size) {
  // Without a pad size 0 wraps to what is never allocatable.
  const size_t last = (size + fast::table.pad - 1) / kGranule;
  if (last >= fast::table.allocatable) [[unlikely]]
    return nullptr;
  const size_t bytes = (last + 1) * kGranule;
  void* p = fast::heaprake_mimalloc_pop(bytes);
  if (!p) [[unlikely]]
    return nullptr;
  // A free block holds the address of the next free one, soon a false reference.
  *static_cast<void**>(p) = nullptr;
  fast::allocated_bytes += bytes;
  fast::table.map[reinterpret_cast<uintptr_t>(p) / kGranule] = static_cast<uint8_t>(last + 1);
  return p;
}

inline void* allocate(size_t size) {
  void* p = allocate_at_hand(size);
  return p ? p : fast::allocate_uncommon(size);
}

inline void release(void* p) {
  const auto address = reinterpret_cast<uintptr_t>(p);
  // The rotation brings the low four bits to the top: a misaligned address is far out of range.
  if (std::rotr(address - fast::table.base, 4) < fast::table.granules) [[likely]] {
    volatile uint8_t* byte = fast::table.map + address / kGranule;
    if (static_cast<uint8_t>(*byte - 1) < kMaxSmallGranules) [[likely]] {
      *byte = 0;  // before the memory can belong to another block
      std::atomic_signal_fence(std::memory_order_seq_cst);
      return fast::heaprake_mimalloc_free(p);
    }
  }
  fast::release_uncommon(p);
}

}  // namespace heaprake::heap
