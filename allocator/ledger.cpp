#include "allocator/ledger.h"

#include <atomic>
#include <bit>

#include "allocator/ledger_record.h"
#include "allocator/ledger_stacks.h"
#include "allocator/ledger_threads.h"
#include "platform/coarse_clock.h"

namespace heaprake::heap::ledger {
namespace {

using platform::CallSite;

constexpr unsigned kTimeBits = 18, kThreadBits = 14, kSlackBits = 4;
constexpr unsigned kMantissaBits = 14;  // of the time's
constexpr uint64_t kTickMs = kTickNs / 1'000'000;
constexpr unsigned kThreadShift = kTimeBits;
constexpr unsigned kStackShift = kThreadShift + kThreadBits;
constexpr unsigned kSlackShift = kStackShift + kStackBits;
constexpr unsigned kIgnoredShift = kSlackShift + kSlackBits;
constexpr uint64_t kMark = uint64_t{1} << 63;
constexpr uint64_t kIgnored = uint64_t{1} << kIgnoredShift;
static_assert(kIgnoredShift == 62);

// Read by every allocation, written once: no line of the cache that anybody writes to.
struct alignas(64) Settings {
  Stacks stacks = Stacks::kOff;
  unsigned depth = 0;
  platform::Range own_code;
  bool started = false;
};
Settings settings;

__thread unsigned disabled;
std::atomic<bool> ignoring{false};  // some block may be ignored

constexpr uint64_t field(uint64_t entry, unsigned shift, unsigned bits) {
  return entry >> shift & ((uint64_t{1} << bits) - 1);
}

// Fourteen bits, and by how many they are to be shifted.
uint64_t time_code(uint64_t ticks) {
  const auto width = static_cast<unsigned>(std::bit_width(ticks));
  if (width <= kMantissaBits) return ticks;
  const unsigned scale = width - kMantissaBits;
  if (scale >= 1u << (kTimeBits - kMantissaBits)) return (1u << kTimeBits) - 1;
  return uint64_t{scale} << kMantissaBits | ticks >> scale;
}
uint64_t ticks_of(uint64_t code) {
  return field(code, 0, kMantissaBits) << (code >> kMantissaBits);
}

// As an entry can tell it.
uint64_t rounded_ms(uint64_t ms) {
  return ticks_of(time_code(ms / kTickMs)) * kTickMs;
}

// Unused bytes, the entry not counted: 0 to 15, but for sizes that the heap rounds up further
// (none do), so that a large number only tells of a spoilt entry.
uint64_t slack_code(size_t bytes, size_t asked) {
  const size_t slack = bytes - kEntryBytes - asked;
  return slack < 1u << kSlackBits ? slack : (1u << kSlackBits) - 1;
}

size_t requested_from(uint64_t code, size_t block_bytes) {
  const size_t usable = block_bytes - kEntryBytes;
  const uint64_t slack = field(code, kSlackShift, kSlackBits);
  return slack < usable ? usable - slack : 0;
}

uint64_t* slot_of(uintptr_t p, size_t bytes) {
  return reinterpret_cast<uint64_t*>(p + bytes - kEntryBytes);
}

// Frames of the library's own are chained by rbp; the chain ends at the first call from outside,
// or where something that has no such frame has called back into the library.
CallSite call_from_outside(void* frame_address) {
  constexpr uintptr_t kMaxFrameBytes = 64 * 1024;
  const auto* frame = static_cast<const uintptr_t*>(frame_address);
  while (settings.own_code.contains(frame[1])) {
    if (frame[0] - reinterpret_cast<uintptr_t>(frame) >= kMaxFrameBytes) break;
    frame = reinterpret_cast<const uintptr_t*>(frame[0]);
  }
  return {frame[1], reinterpret_cast<uintptr_t>(frame + 2), frame[0]};
}

// Out of line, and by value: on the usual way the site stays in registers.
[[gnu::noinline]] uint32_t walk(CallSite site, WalkRoom& room) {
  const size_t count =
      platform::unwind(site, room.own_stack, room.frames, settings.depth, &room.words);
  return number_of_stack(room.frames, count);
}

[[gnu::noinline]] uint32_t walk_and_remember(CallSite site, ThreadRoom& room) {
  const uint32_t stack = walk(site, room.first);
  if (stack != 0 && room.first.words.whole) room.memo.add(site, stack, room.first.words);
  return stack;
}

uint32_t remembered_or_walked(ThreadRoom& room, const CallSite& site) {
  const uint32_t generation = platform::unwind_generation();
  if (room.generation != generation) {
    room.memo.clear();
    room.generation = generation;
  }
  if (uint32_t known = room.memo.find(site, settings.stacks == Stacks::kAdaptive)) return known;
  return walk_and_remember(site, room);
}

uintptr_t mark_value(const WalkMark* at) {
  return reinterpret_cast<uintptr_t>(at) ^ 0xb10c'1ed9'e500'0000;
}

// Whether somebody is walking in that room, whose handler this is. `mark` is this walk's own.
bool is_taken(const WalkMark* by, const WalkMark* mark) {
  if (by == nullptr || by == mark) return false;
  return platform::is_readable(reinterpret_cast<uintptr_t>(by)) && by->value == mark_value(by);
}

uint32_t stack_of(ThreadRoom& room, void* frame_address) {
  const CallSite site = call_from_outside(frame_address);
  volatile WalkMark mark;
  const auto* here = const_cast<const WalkMark*>(&mark);
  mark.value = mark_value(here);
  uint32_t stack = 0;
  if (!is_taken(room.walk, here)) {
    room.walk = here;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    stack = remembered_or_walked(room, site);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    room.walk = nullptr;
  } else if (!is_taken(room.nested, here)) {
    room.nested = here;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    stack = walk(site, room.second);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    room.nested = nullptr;
  }
  mark.value = 0;
  return stack;
}

uint64_t time_now(ThreadRoom& room) {
  const uint64_t now = platform::coarse_ns();
  if (now != room.clock_ns) {
    room.clock_code = time_code(ticks_at(now));
    room.clock_ns = now;
  }
  return room.clock_code;
}

}  // namespace

bool start(const Config& config) {
  settings.stacks = config.stacks;
  settings.depth = config.depth < platform::kMaxFrames ? config.depth : platform::kMaxFrames;
  settings.own_code = config.own_code;
  if (!start_threads()) return false;
  if (settings.stacks != Stacks::kOff &&
      !(platform::start_unwinding(settings.own_code) && start_stacks()))
    settings.stacks = Stacks::kOff;
  settings.started = true;
  return true;
}

bool kept() {
  return settings.started;
}

[[gnu::noinline]] void enter(uintptr_t p, size_t bytes, size_t asked) {
  uint64_t entry = kMark | slack_code(bytes, asked) << kSlackShift;
  if (disabled != 0) entry |= kIgnored;
  ThreadRoom* room = own_room != nullptr ? own_room : make_room();
  if (room != nullptr) {
    entry |= time_now(*room) | uint64_t{room->number} << kThreadShift;
    if (settings.stacks != Stacks::kOff)
      entry |= uint64_t{stack_of(*room, __builtin_frame_address(0))} << kStackShift;
  }
  *slot_of(p, bytes) = entry;
}

Entry entry_of(const Block& block) {
  Entry entry;
  entry.requested = block.size;
  if (!settings.started || block.size < kEntryBytes) return entry;
  const uint64_t code = *slot_of(block.address, block.size);
  entry.requested = requested_from(code, block.size);
  if ((code & kMark) == 0) return entry;
  entry.stack = static_cast<uint32_t>(field(code, kStackShift, kStackBits));
  if (entry.stack > stack_count()) entry.stack = 0;
  entry.time_ms = ticks_of(field(code, 0, kTimeBits)) * kTickMs;
  entry.thread = static_cast<uint32_t>(field(code, kThreadShift, kThreadBits));
  // From before this thread had the number, as far as times can be told apart.
  if (entry.thread > thread_count() ||
      rounded_ms(thread_at(entry.thread).since_ms) > entry.time_ms) {
    entry.thread = 0;
  }
  entry.ignored = (code & kIgnored) != 0;
  return entry;
}

size_t requested(const Block& block) {
  return settings.started ? requested_from(*slot_of(block.address, block.size), block.size)
                          : block.size;
}

void disable() {
  ++disabled;
  ignoring.store(true, std::memory_order_relaxed);
}
void enable() {
  if (disabled != 0) --disabled;
}

bool any_ignored() {
  return ignoring.load(std::memory_order_relaxed);
}

bool ignore(const void* p) {
  const Block block = find_block(reinterpret_cast<uintptr_t>(p));
  if (!settings.started || !block) return false;
  *slot_of(block.address, block.size) |= kIgnored;
  ignoring.store(true, std::memory_order_relaxed);
  return true;
}

void note_unloading() {
  if (settings.started) platform::forget_unwind_rules();
}

void reset_after_fork() {
  if (!settings.started) return;
  platform::reset_unwinding_after_fork();
  reset_threads_after_fork();
}

}  // namespace heaprake::heap::ledger
