#include "allocator/ledger_stacks.h"

#include <atomic>
#include <cstring>

#include "allocator/ledger.h"
#include "platform/unwind.h"

namespace heaprake::heap::ledger {
namespace {

constexpr size_t kBuckets = size_t{1} << 20;
constexpr size_t kMaxFrameWords = size_t{1} << 31;
constexpr size_t kCommitStep = size_t{1} << 20;

struct Stack {
  std::atomic<uint64_t> place;  // index of its first frame, and in the low byte how many
  uint32_t hash;
  std::atomic<uint32_t> next;
};
static_assert(sizeof(Stack) == 16);

// A reserved array of which only the beginning has memory.
template <class T>
class GrowingArray {
 public:
  bool reserve(size_t most) {
    for (; most >= 4096; most /= 2) {
      items_ = static_cast<T*>(platform::reserve(most * sizeof(T), platform::kPageSize, 0));
      if (items_ == nullptr) continue;
      capacity_ = most;
      return true;
    }
    return false;
  }
  // Room for `items` at the end: the index of the first, SIZE_MAX when there is no more.
  size_t take(size_t items) {
    const size_t first = used_.fetch_add(items, std::memory_order_relaxed);
    if (first + items <= capacity_)
      return provide((first + items) * sizeof(T)) ? first : SIZE_MAX;  // or a hole
    // Whoever came meanwhile has found no room, either, and takes it back as well.
    used_.fetch_sub(items, std::memory_order_relaxed);
    return SIZE_MAX;
  }
  T& operator[](size_t index) const { return items_[index]; }
  // How many may be read.
  size_t size() const {
    const size_t used = used_.load(std::memory_order_acquire);
    const size_t there = provided_.load(std::memory_order_acquire) / sizeof(T);
    return used < there ? used : there;
  }

 private:
  bool provide(size_t bytes) {
    size_t have = provided_.load(std::memory_order_acquire);
    while (have < bytes) {
      const size_t most = (capacity_ * sizeof(T)) & ~(platform::kPageSize - 1);
      size_t want = (bytes + kCommitStep - 1) & ~(kCommitStep - 1);
      if (want > most) want = most;
      if (want < bytes || !platform::commit(reinterpret_cast<char*>(items_) + have, want - have))
        return false;
      if (provided_.compare_exchange_strong(have, want, std::memory_order_acq_rel)) return true;
    }
    return true;
  }

  T* items_ = nullptr;
  size_t capacity_ = 0;
  std::atomic<size_t> used_{0};
  std::atomic<size_t> provided_{0};  // bytes that have memory
};

std::atomic<uint32_t>* buckets;
GrowingArray<Stack> stacks;  // number n is stacks[n - 1]
GrowingArray<uint64_t> all_frames;
std::atomic<uint64_t> not_kept{0};

uint64_t hash_of(const uint64_t* frames, size_t count) {
  uint64_t hash = count;
  for (size_t i = 0; i < count; ++i) {
    hash = (hash ^ frames[i]) * 0x9e37'79b9'7f4a'7c15;
    hash ^= hash >> 32;
  }
  return hash;
}

bool is_stack(const Stack& stack, uint32_t hash, const uint64_t* frames, size_t count) {
  const uint64_t place = stack.place.load(std::memory_order_acquire);
  return stack.hash == hash && (place & 0xff) == count &&
         std::memcmp(&all_frames[place >> 8], frames, count * sizeof *frames) == 0;
}

// In the chain from `number` up to, but not including, `end`.
uint32_t find(uint32_t number, uint32_t end, uint32_t hash, const uint64_t* frames, size_t count) {
  while (number != 0 && number != end) {
    const Stack& stack = stacks[number - 1];
    if (is_stack(stack, hash, frames, count)) return number;
    number = stack.next.load(std::memory_order_relaxed);
  }
  return 0;
}

uint32_t make(uint32_t hash, const uint64_t* frames, size_t count) {
  const size_t place = all_frames.take(count);
  const size_t index = place == SIZE_MAX ? SIZE_MAX : stacks.take(1);
  if (index == SIZE_MAX) {
    not_kept.fetch_add(1, std::memory_order_relaxed);
    return 0;
  }
  std::memcpy(&all_frames[place], frames, count * sizeof *frames);
  stacks[index].hash = hash;
  stacks[index].place.store(place << 8 | count, std::memory_order_release);
  return static_cast<uint32_t>(index + 1);
}

}  // namespace

bool start_stacks() {
  buckets = static_cast<std::atomic<uint32_t>*>(platform::map(kBuckets * sizeof *buckets));
  // Most programs come nowhere near; under a limit of address space the heap needs it more.
  const size_t limit = platform::address_space_limit();
  size_t words = limit / 64 / sizeof(uint64_t);
  if (words > kMaxFrameWords) words = kMaxFrameWords;
  const size_t most = words / 16 < kMaxStacks ? words / 16 : kMaxStacks;
  return buckets != nullptr && stacks.reserve(most) && all_frames.reserve(words);
}

uint32_t number_of_stack(const uint64_t* frames, size_t count) {
  if (buckets == nullptr || count == 0) return 0;
  const uint64_t whole_hash = hash_of(frames, count);
  const auto hash = static_cast<uint32_t>(whole_hash);
  std::atomic<uint32_t>& bucket = buckets[whole_hash >> 44];
  static_assert(kBuckets == size_t{1} << (64 - 44));
  uint32_t first = bucket.load(std::memory_order_acquire);
  if (uint32_t known = find(first, 0, hash, frames, count)) return known;
  const uint32_t made = make(hash, frames, count);
  if (made == 0) return 0;
  for (;;) {
    stacks[made - 1].next.store(first, std::memory_order_relaxed);
    const uint32_t before = first;
    if (bucket.compare_exchange_weak(first, made, std::memory_order_acq_rel)) return made;
    if (uint32_t known = find(first, before, hash, frames, count)) return known;
  }
}

uint32_t stack_count() {
  return static_cast<uint32_t>(stacks.size());
}

uint64_t stacks_not_kept() {
  return not_kept.load(std::memory_order_relaxed);
}

size_t frames_of(uint32_t stack, Frame* out, size_t capacity) {
  if (stack == 0 || stack > stack_count()) return 0;
  const uint64_t place = stacks[stack - 1].place.load(std::memory_order_acquire);
  const size_t count = place & 0xff;
  for (size_t i = 0; i < count && i < capacity; ++i) {
    const uint64_t frame = all_frames[(place >> 8) + i];
    constexpr uint64_t kOffset = (uint64_t{1} << platform::kFrameModuleShift) - 1;
    out[i] = {static_cast<uint32_t>(frame >> platform::kFrameModuleShift), frame & kOffset};
  }
  return count;
}

}  // namespace heaprake::heap::ledger
