#include "allocator/bookkeeping.h"

#include <cstring>

#include "allocator/heap.h"

namespace heaprake::heap::bookkeeping {
namespace {

constexpr size_t kPage = platform::kPageSize;
constexpr size_t kMaxPages = 16;  // larger pieces get a mapping of their own
constexpr size_t kCommitStep = 16 * kPage;
static_assert(kMaxPages * kPage <= kCommitStep);

struct Free {
  Free* next;
};

// Everything below is guarded by `lock`.
platform::Mutex lock;
platform::Range pool;            // the reservation
uintptr_t top;                   // the part below it has been handed out at least once
uintptr_t usable;                // the part below it is committed
Free* free_list[kMaxPages + 1];  // by number of pages

size_t pages_of(size_t bytes) {
  return (bytes + kPage - 1) / kPage;
}

bool start_pool() {
  if (pool.lo) return true;
  // A thread takes two pages; a thousandth of the range is enough for every thread it can serve.
  size_t bytes = geometry.size / 1024;
  if (bytes < kCommitStep) bytes = kCommitStep;
  auto lo = reinterpret_cast<uintptr_t>(platform::reserve(bytes, kPage, 0));
  if (!lo) return false;
  pool = {lo, lo + bytes};
  top = usable = lo;
  return true;
}

void* take(size_t pages) {
  if (Free* piece = free_list[pages]) {
    free_list[pages] = piece->next;
    std::memset(piece, 0, pages * kPage);
    return piece;
  }
  if (!start_pool() || pages * kPage > pool.hi - top) return nullptr;
  while (usable - top < pages * kPage) {
    size_t step = pool.hi - usable < kCommitStep ? pool.hi - usable : kCommitStep;
    if (!platform::commit(reinterpret_cast<void*>(usable), step)) return nullptr;
    usable += step;
  }
  auto* piece = reinterpret_cast<void*>(top);
  top += pages * kPage;
  return piece;
}

}  // namespace

void* allocate(size_t bytes) {
  size_t pages = pages_of(bytes);
  if (pages <= kMaxPages) {
    lock.lock();
    void* p = take(pages);
    lock.unlock();
    if (p) return p;
  }
  return platform::map(bytes);
}

void release(void* p, size_t bytes) {
  if (!pool.contains(reinterpret_cast<uintptr_t>(p))) return platform::release(p, bytes);
  size_t pages = pages_of(bytes);
  auto* piece = static_cast<Free*>(p);
  lock.lock();
  piece->next = free_list[pages];
  free_list[pages] = piece;
  lock.unlock();
}

void before_fork() {
  lock.lock();
}
void after_fork_in_parent() {
  lock.unlock();
}
void reset_after_fork() {
  lock.reset_after_fork();
}

}  // namespace heaprake::heap::bookkeeping
