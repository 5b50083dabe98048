// What mimalloc gets in place of libc's calls.
#include "allocator/mimalloc_host.h"

#include <sys/mman.h>

#include <cerrno>

#include "allocator/bookkeeping.h"
#include "allocator/retained.h"
#include "allocator/space.h"
#include "platform/coarse_clock.h"

namespace heaprake::heap {
namespace {

int fail() {
  heaprake_host_errno = ENOMEM;
  return -1;
}

}  // namespace

extern "C" {

// The range is given to mimalloc as it is; what it maps besides is for its own bookkeeping.
void* heaprake_host_mmap(void*, size_t bytes, int protection) {
  void* p = protection == PROT_NONE ? platform::reserve(bytes, platform::kPageSize, 0)
                                    : bookkeeping::allocate(bytes);
  if (p) return p;
  fail();
  return MAP_FAILED;
}

int heaprake_host_munmap(void* p, size_t bytes) {
  bookkeeping::release(p, bytes);
  return 0;
}

int heaprake_host_mprotect(void* p, size_t bytes, int protection) {
  // Memory that was usable once stays so; there is nothing to gain from taking it away.
  if (!(protection & PROT_WRITE)) return 0;
  auto lo = reinterpret_cast<uintptr_t>(p);
  if (!space::in_range(lo)) return platform::commit(p, bytes) ? 0 : fail();
  retained::take_back({lo, lo + bytes});
  return space::make_usable(lo, bytes) ? 0 : fail();
}

int heaprake_host_clock_gettime(timespec* now) {
  constexpr uint64_t kSecond = 1000000000;
  const uint64_t ns = platform::coarse_ns();
  *now = {static_cast<time_t>(ns / kSecond), static_cast<long>(ns % kSecond)};
  return 0;
}

int heaprake_host_madvise(void* p, size_t bytes, int advice) {
  if (advice != MADV_DONTNEED && advice != MADV_FREE) return 0;
  auto lo = reinterpret_cast<uintptr_t>(p);
  if (!space::in_range(lo)) return platform::discard(p, bytes), 0;
  space::note_unused(lo, bytes);
  if (advice == MADV_DONTNEED && heaprake_mimalloc_recommits) {
    retained::give_up({lo, lo + bytes});
  } else {
    space::discard(lo, bytes);
  }
  return 0;
}

}  // extern "C"

}  // namespace heaprake::heap
