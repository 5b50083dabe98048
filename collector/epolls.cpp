#include "collector/epolls.h"

#include "allocator/heap.h"

namespace heaprake::collector {

constinit Epolls epolls;

Epolls::Bits* Epolls::bits() {
  Bits* bits = bits_.load(std::memory_order_acquire);
  if (bits) return bits;
  auto* fresh = static_cast<Bits*>(platform::map(kNumbers / 8));
  if (!fresh) return nullptr;
  if (bits_.compare_exchange_strong(bits, fresh, std::memory_order_acq_rel)) return fresh;
  platform::release(fresh, kNumbers / 8);
  return bits;
}

bool Epolls::known(int fd) const {
  const Bits* bits = bits_.load(std::memory_order_acquire);
  const auto number = static_cast<size_t>(fd);
  return bits && number < kNumbers &&
         (bits[number / 64].load(std::memory_order_relaxed) >> number % 64 & 1) != 0;
}

void Epolls::note(int fd) {
  if (known(fd) || fd < 0) return;
  const auto number = static_cast<size_t>(fd);
  Bits* bits = number < kNumbers ? this->bits() : nullptr;
  if (!bits) return unbounded_.store(true, std::memory_order_relaxed);
  size_t limit = limit_.load(std::memory_order_relaxed);
  while (limit <= number && !limit_.compare_exchange_weak(limit, number + 1)) continue;
  bits[number / 64].fetch_or(uint64_t{1} << number % 64);
}

void Epolls::note_created(int fd) {
  if (known(fd)) search_.store(true, std::memory_order_relaxed);
}

namespace {

// The words that may be addresses in the heap.
platform::EpollRead visit_words(int thread, int fd, platform::FunctionRef<bool(uintptr_t)> visit) {
  const heap::Geometry& heap = heap::geometry;
  return platform::for_each_epoll_word(
      thread, fd, [&](uint64_t word) { return word - heap.base >= heap.size || visit(word); });
}

}  // namespace

bool Epolls::any() const {
  return limit_.load(std::memory_order_relaxed) != 0 || unbounded_.load(std::memory_order_relaxed);
}

bool Epolls::for_each_word(int fd, platform::FunctionRef<bool(uintptr_t)> visit) {
  return visit_words(platform::kOwnTable, fd, visit) != platform::EpollRead::kFailed;
}

Epolls::Read Epolls::read(int fd, MappedArray<uintptr_t>& words) {
  switch (visit_words(platform::kOwnTable, fd, [&](uintptr_t word) { return words.push(word); })) {
    case platform::EpollRead::kWhole:
      return Read::kDone;
    case platform::EpollRead::kNoEpoll:
      return Read::kVanished;
    default:
      return Read::kFailed;
  }
}

// Forgets the numbers that are epolls no more.
Epolls::Read Epolls::read_known(MappedArray<uintptr_t>& words) {
  Bits* bits = bits_.load(std::memory_order_acquire);
  Read result = Read::kDone;
  for (size_t i = 0; i < limit_.load(std::memory_order_relaxed); i += 64) {
    for (uint64_t left = bits[i / 64].load(std::memory_order_relaxed); left; left &= left - 1) {
      const uint64_t bit = left & -left;
      const Read here = read(static_cast<int>(i) + __builtin_ctzll(left), words);
      if (here == Read::kFailed) return here;
      if (here != Read::kVanished) continue;
      result = here;
      bits[i / 64].fetch_and(~bit, std::memory_order_relaxed);
    }
  }
  return result;
}

// Reads the epolls that are not known, and remembers them.
bool Epolls::search(MappedArray<uintptr_t>& words) {
  return platform::for_each_epoll(platform::kOwnTable, [&](int fd) {
    if (known(fd)) return true;
    note(fd);
    return read(fd, words) != Read::kFailed;
  });
}

// Reads all epolls of a thread that has a table of its own, or shares the one of another thread.
bool Epolls::search_table(int thread, MappedArray<uintptr_t>& words) {
  return platform::for_each_epoll(thread, [&](int fd) {
    return visit_words(thread, fd, [&](uintptr_t word) { return words.push(word); }) !=
           platform::EpollRead::kFailed;
  });
}

bool Epolls::add_words(const platform::World& world, MappedArray<uintptr_t>& words) {
  const bool wanted = unbounded_.load(std::memory_order_relaxed) ||
                      search_.exchange(false, std::memory_order_relaxed);
  const Read known = read_known(words);
  const bool whole =
      known != Read::kFailed && (!(wanted || known == Read::kVanished) || search(words));
  // What was to be searched for still is.
  if (!whole) search_.store(true, std::memory_order_relaxed);
  if (!whole || !own_tables_.load(std::memory_order_relaxed)) return whole;
  for (size_t i = 1; i < world.count; ++i) {
    if (!search_table(world.threads[i].tid, words)) return false;
  }
  // The numbers that were noted are those of any table: look at all of this one, too.
  return search(words);
}

}  // namespace heaprake::collector
