#include "platform/spare.h"

#include <algorithm>

namespace heaprake::platform::spare {
namespace {

constexpr size_t kMostBytes = size_t{4} << 30;
constexpr size_t kShareOfLimit = 16;
constexpr size_t kMostPieces = 256;

Mutex lock;  // held with all signals blocked
// Everything below is guarded by it, but `whole`, which is written once.
Range whole;
Range pieces[kMostPieces];  // in use, in address order
size_t count;

size_t page_up(size_t bytes) {
  return (bytes + kPageSize - 1) & ~(kPageSize - 1);
}

}  // namespace

void reserve() {
  size_t bytes = std::min(kMostBytes, address_space_limit() / kShareOfLimit);
  bytes &= ~(kPageSize - 1);
  void* p = platform::reserve(bytes, kPageSize, 0);
  if (p == nullptr) return;
  SignalGuard guard(lock);
  whole = {reinterpret_cast<uintptr_t>(p), reinterpret_cast<uintptr_t>(p) + bytes};
}

void* allocate(size_t bytes) {
  bytes = page_up(bytes);
  SignalGuard guard(lock);
  if (count == kMostPieces) return nullptr;
  uintptr_t lo = whole.lo;
  size_t at = 0;
  while (at < count && pieces[at].lo - lo < bytes) lo = pieces[at++].hi;
  if (whole.hi - lo < bytes || !commit(reinterpret_cast<void*>(lo), bytes)) return nullptr;
  std::move_backward(pieces + at, pieces + count, pieces + count + 1);
  pieces[at] = {lo, lo + bytes};
  ++count;
  return reinterpret_cast<void*>(lo);
}

bool release(void* p, size_t bytes) {
  const auto lo = reinterpret_cast<uintptr_t>(p);
  if (!whole.contains(lo)) return false;
  discard(p, page_up(bytes));  // so that the next one finds zeros
  SignalGuard guard(lock);
  auto* piece = std::find_if(pieces, pieces + count, [=](Range r) { return r.lo == lo; });
  std::move(piece + 1, pieces + count, piece);
  --count;
  return true;
}

void reset_after_fork() {
  lock.reset_after_fork();
}

}  // namespace heaprake::platform::spare
