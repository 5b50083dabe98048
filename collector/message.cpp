// Looks for addresses in the bytes that a program sends and receives, and keeps account of them in
// `carried`. It is called after a call that succeeded, with bytes that the kernel has just read or
// written; memory that another thread may have unmapped since is read through the kernel.

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "allocator/heap.h"
#include "collector/carried.h"
#include "collector/collector.h"
#include "collector/cpu.h"

namespace heaprake::collector {

namespace {

// Up to here the bytes are read first, and what they are sent through is asked only if one looks
// like an address: nearly all messages are short, and hold none. Longer ones cost the kernel so
// much that asking first is cheap.
constexpr size_t kReadFirst = 4096;
// What is looked at of a message: more than a pipe holds at most (unless root made it larger).
constexpr size_t kMostBytes = 1 << 20;
// A buffer near the stack pointer lies in the thread's stack.
constexpr uintptr_t kNearStack = 64 << 10;
constexpr size_t kCopy = 1024;

// What every message is compared with, in one place; written once at start. Before that the heap
// looks empty, and everything excluded.
struct alignas(64) Places {
  uintptr_t heap_base, heap_size;
  platform::Range image;
  uint32_t lowest, span;  // of the upper halves of addresses in the heap, see UpperHalves
  bool avx512;
};
constinit Places places{};

// Memory that cannot have been unmapped by another thread since the kernel used it: the heap, which
// stays readable, the program's image, this thread's stack.
inline bool is_steady(uintptr_t at, size_t bytes) {
  if (at - places.heap_base < places.heap_size) return true;
  const auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  const auto thread = reinterpret_cast<uintptr_t>(__builtin_thread_pointer());
  const uintptr_t room = thread > frame ? std::min(thread - frame, kNearStack) : kNearStack;
  if (at - frame < room && bytes <= room - (at - frame)) return true;
  return places.image.contains(at);
}

// Which of four 32-bit numbers may be the upper half of an address in the heap.
struct UpperHalves {
  static constexpr uint32_t kFlip = 0x80000000;  // SSE2 compares signed numbers only
  // All ones where it cannot be.
  __m128i excluded(const unsigned char* at) const {
    const __m128i words = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    return _mm_cmpgt_epi32(_mm_sub_epi32(words, lowest), span);
  }
  bool none_of_64(const unsigned char* at) const {
    return all(_mm_and_si128(_mm_and_si128(excluded(at), excluded(at + 16)),
                             _mm_and_si128(excluded(at + 32), excluded(at + 48))));
  }
  static bool all(__m128i excluded) { return _mm_movemask_epi8(excluded) == 0xffff; }
  __m128i lowest = _mm_set1_epi32(static_cast<int>(places.lowest));
  __m128i span = _mm_set1_epi32(static_cast<int>(places.span));
};

// Whether all of it is without a word that might be an address; `size` is at least 16.
inline bool none(const unsigned char* bytes, size_t size) {
  const UpperHalves halves;
  size_t at = 0;
  for (; at + 64 <= size; at += 64) {
    if (!halves.none_of_64(bytes + at)) return false;
  }
  for (; at + 16 <= size; at += 16) {
    if (!UpperHalves::all(halves.excluded(bytes + at))) return false;
  }
  // The last words are a multiple of four away from the beginning.
  const size_t last = (size & ~size_t{3}) - 16;
  return at == size || UpperHalves::all(halves.excluded(bytes + last));
}

// The same four times as fast.
__attribute__((target("avx512f"))) bool none_avx512(const unsigned char* bytes, size_t size) {
  constexpr size_t kStep = 64, kSteps = 4;
  const __m512i lowest = _mm512_set1_epi32(static_cast<int>(places.lowest - UpperHalves::kFlip));
  const __m512i span = _mm512_set1_epi32(static_cast<int>(places.span ^ UpperHalves::kFlip));
  const auto candidates = [=](__m512i words) __attribute__((target("avx512f"))) {
    return _mm512_cmple_epu32_mask(_mm512_sub_epi32(words, lowest), span);
  };
  size_t at = 0;
  for (; at + kSteps * kStep <= size; at += kSteps * kStep) {
    unsigned found = 0;
    for (size_t i = 0; i < kSteps; ++i)
      found |= candidates(_mm512_loadu_si512(bytes + at + i * kStep));
    if (found != 0) return false;
  }
  for (; at < size; at += kStep) {
    const size_t words = std::min(size - at, kStep) / sizeof(uint32_t);
    const auto present = static_cast<__mmask16>((uint32_t{1} << words) - 1);
    if ((candidates(_mm512_maskz_loadu_epi32(present, bytes + at)) & present) != 0) return false;
  }
  return true;
}

// visit(word) returns false to stop; so does this.
template <class Visit>
bool check_words(const unsigned char* bytes, size_t from, size_t to, Visit& visit) {
  const heap::Geometry& heap = heap::geometry;
  for (size_t end = std::max<size_t>(from, 4); end + 4 <= to; end += 4) {
    uintptr_t word;
    memcpy(&word, bytes + end - 4, sizeof word);
    if (word - heap.base >= heap.size || !heap::find_block(word)) continue;
    if (!visit(word)) return false;
  }
  return true;
}

// The words at each multiple of four that lie in a block.
template <class Visit>
bool scan(const unsigned char* bytes, size_t size, Visit& visit) {
  const UpperHalves halves;
  size_t at = 0;
  for (; at + 64 <= size; at += 64) {
    if (halves.none_of_64(bytes + at)) [[likely]]
      continue;
    if (!check_words(bytes, at, at + 64, visit)) return false;
  }
  return check_words(bytes, at, size, visit);
}

// The same for memory that may be gone.
template <class Visit>
bool scan_copy(uintptr_t at, size_t size, Visit& visit) {
  const platform::AddressSpace space;
  unsigned char copy[kCopy];
  while (size >= sizeof(uintptr_t)) {
    const size_t wanted = std::min(size, sizeof copy);
    const size_t got = space.read_guarded(copy, at, wanted);
    if (!scan(copy, got, visit)) return false;
    if (got < wanted || wanted == size) return true;
    // The last word of this copy may end in the next one.
    at += wanted - 4;
    size -= wanted - 4;
  }
  return true;
}

class Message {
 public:
  explicit Message(const Transfer& transfer) : transfer_(transfer) {}
  void sent(uint64_t early_before);
  void received();

 private:
  template <class Visit>
  void for_each_address(Visit visit);
  bool is_channel(bool receiving);

  const Transfer& transfer_;
  bool asked_ = false;
  uint64_t channel_ = 0;  // once asked; 0: none that can bring the words back
};

bool Message::is_channel(bool receiving) {
  if (asked_) return channel_ != 0;
  asked_ = true;
  if (transfer_.fd == kPosixQueue || transfer_.fd == kSystemVQueue) {
    channel_ = transfer_.fd == kPosixQueue ? kQueues : kSystemV;
  } else {
    using platform::Channel;
    const Channel channel = platform::channel_of(transfer_.fd);
    if (channel.kind == Channel::kPipe) channel_ = kPipes + channel.id;
    // Where it is only taken for one, what comes out of it may be a stranger's, and takes nothing
    // away that is still on its way.
    const bool guessed = platform::questions_to_sockets_are_forbidden();
    if (channel.kind == Channel::kLocalSocket && !(guessed && receiving)) channel_ = kSockets;
    // A signalfd gives what signals carry; what is written to an eventfd is a number.
    if (channel.kind == Channel::kAnonymous && receiving) channel_ = kSignals;
  }
  return channel_ != 0;
}

template <class Visit>
void Message::for_each_address(Visit visit) {
  size_t left = std::min(transfer_.bytes, kMostBytes);
  for (size_t i = 0; i < transfer_.count && left; ++i) {
    const auto at = reinterpret_cast<uintptr_t>(transfer_.pieces[i].iov_base);
    const size_t size = std::min(transfer_.pieces[i].iov_len, left);
    left -= size;
    if (size < sizeof(uintptr_t)) continue;
    const bool direct = is_steady(at, size);
    if ((!direct || size > kReadFirst) && !visit(0)) return;
    if (direct ? !scan(reinterpret_cast<const unsigned char*>(at), size, visit)
               : !scan_copy(at, size, visit)) {
      return;
    }
  }
}

// The visitors are first asked, with 0, whether reading is worth while.
void Message::sent(uint64_t early_before) {
  for_each_address([&](uintptr_t word) {
    if (!is_channel(false)) return false;
    if (word) carried.add(word, channel_, early_before);
    return true;
  });
}

void Message::received() {
  for_each_address([&](uintptr_t word) {
    if (!is_channel(true)) return false;
    if (word) carried.remove(word, channel_);
    return true;
  });
}

}  // namespace

void set_image(platform::Range image) {
  const heap::Geometry& heap = heap::geometry;
  const auto lo = static_cast<uint32_t>(heap.base >> 32);
  const auto hi = static_cast<uint32_t>((heap.base + heap.size - 1) >> 32);
  places = {heap.base,   heap.size, image, lo + UpperHalves::kFlip, (hi - lo) ^ UpperHalves::kFlip,
            cpu().avx512};
}

bool may_carry(const void* bytes, size_t size) {
  if (size < 16 || size > kReadFirst) return size >= sizeof(uintptr_t);
  if (!is_steady(reinterpret_cast<uintptr_t>(bytes), size)) return true;
  const auto* at = static_cast<const unsigned char*>(bytes);
  constexpr size_t kWorthwhile = 256;
  return !(places.avx512 && size >= kWorthwhile ? none_avx512(at, size) : none(at, size));
}

namespace {

// Without collections nothing need be kept, and a filter may forbid to ask what the descriptor is.
bool is_passed_over() {
  if (!is_barred()) return false;
  note_passed_over();
  return true;
}

}  // namespace

void message_sent(const Transfer& transfer, uint64_t early_before) {
  if (is_passed_over()) return;
  Message(transfer).sent(early_before);
}
void message_received(const Transfer& transfer) {
  if (is_barred()) return;
  Message(transfer).received();
}

void message_copied(int from, int to, uint64_t early_before) {
  using platform::Channel;
  if (is_passed_over()) return;
  const Channel source = platform::channel_of(from), copy = platform::channel_of(to);
  if (source.kind != Channel::kPipe || copy.kind != Channel::kPipe) return;
  carried.copy(kPipes + source.id, kPipes + copy.id, early_before);
}

void signal_queued(uintptr_t value) {
  if (heap::find_block(value)) {
    carried.add(value, kSignals, heaprake_early_receipts.load(std::memory_order_relaxed));
  }
}
void signal_not_queued(uintptr_t value) {
  carried.take_back(value, kSignals);
}
void signal_arrived(uintptr_t value) {
  if (heap::find_block(value)) carried.take_back(value, kSignals);
}

}  // namespace heaprake::collector
