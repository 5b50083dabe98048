// Mapping memory. What leaves here is recorded as ours before the caller sees it and forgotten
// before it is unmapped, so that no mapping of the program's is ever taken for one of ours.
#include <sys/mman.h>
#include <sys/resource.h>

#include "platform/advice.h"
#include "platform/inherited_filter.h"
#include "platform/locked_memory.h"
#include "platform/own_ranges.h"
#include "platform/platform.h"
#include "platform/spare.h"
#include "platform/syscall.h"
#include "platform/thread_record.h"

namespace heaprake::platform {
namespace {

constexpr long kMadvDontneedLocked = 24;  // Linux 5.18; Debian 12's headers may lack the name

void* mmap_private(uintptr_t at, size_t bytes, int protection, int flags) {
  const long result =
      sys::call(SYS_mmap, at, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return sys::failed(result) ? nullptr : reinterpret_cast<void*>(result);
}

void unmap(uintptr_t lo, uintptr_t hi) {
  if (lo < hi) sys::call(SYS_munmap, lo, hi - lo);
}

Range range_of(const void* p, size_t bytes) {
  const auto lo = reinterpret_cast<uintptr_t>(p);
  return {lo, lo + bytes};
}

void* record(void* p, size_t bytes) {
  if (p == nullptr || own_ranges::add(range_of(p, bytes))) return p;
  const Range range = range_of(p, bytes);
  unmap(range.lo, range.hi);
  return nullptr;
}

}  // namespace

namespace {

void* reserve_pages(size_t bytes, size_t alignment, uintptr_t hint) {
  bytes = (bytes + kPageSize - 1) & ~(kPageSize - 1);
  if (bytes == 0 || alignment > SIZE_MAX - bytes) return nullptr;
  if (hint != 0) {
    const uintptr_t at = (hint + alignment - 1) & ~(alignment - 1);
    void* p = mmap_private(at, bytes, PROT_NONE, MAP_NORESERVE | MAP_FIXED_NOREPLACE);
    if (p == reinterpret_cast<void*>(at)) return record(p, bytes);
    // Kernels before 4.17 take the flag for a mere hint.
    if (p != nullptr) unmap(range_of(p, bytes).lo, range_of(p, bytes).hi);
  }
  const size_t extra = alignment > kPageSize ? alignment - kPageSize : 0;
  void* p = mmap_private(0, bytes + extra, PROT_NONE, MAP_NORESERVE);
  if (p == nullptr) return nullptr;
  const Range whole = range_of(p, bytes + extra);
  const uintptr_t lo = (whole.lo + alignment - 1) & ~(alignment - 1);
  unmap(whole.lo, lo);
  unmap(lo + bytes, whole.hi);
  return record(reinterpret_cast<void*>(lo), bytes);
}

}  // namespace

void* reserve(size_t bytes, size_t alignment, uintptr_t hint) {
  void* p = reserve_pages(bytes, alignment, hint);
  if (p == nullptr) return nullptr;
  locked_memory::note_reservation(p, bytes);
  // gdb would write all of it into a core file, zeros for what was never touched.
  advice::give(p, bytes, MADV_DONTDUMP);
  return p;
}

bool make_readable(void* p, size_t bytes) {
  return !sys::failed(sys::call(SYS_mprotect, p, bytes, PROT_READ));
}

bool commit(void* p, size_t bytes) {
  if (sys::failed(sys::call(SYS_mprotect, p, bytes, PROT_READ | PROT_WRITE))) return false;
  advice::give(p, bytes, MADV_DODUMP);
  locked_memory::note_commit(p, bytes);
  return true;
}

void* map(size_t bytes) {
  bytes = (bytes + kPageSize - 1) & ~(kPageSize - 1);
  if (bytes == 0) return nullptr;
  void* p = record(mmap_private(0, bytes, PROT_READ | PROT_WRITE, 0), bytes);
  return p != nullptr ? p : spare::allocate(bytes);
}

void discard(void* p, size_t bytes) {
  if (is_quiet() && bytes != 0) {
    mmap_private(range_of(p, bytes).lo, bytes, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_NORESERVE);
    return;
  }
  if (bytes == 0 || !sys::failed(sys::call(SYS_madvise, p, bytes, MADV_DONTNEED))) return;
  // After mlockall plain MADV_DONTNEED is refused.
  if (!sys::failed(sys::call(SYS_madvise, p, bytes, kMadvDontneedLocked))) return;
  __builtin_memset(p, 0, bytes);
}

void release(void* p, size_t bytes) {
  if (spare::release(p, bytes)) return;
  bytes = (bytes + kPageSize - 1) & ~(kPageSize - 1);
  const Range range = range_of(p, bytes);
  own_ranges::remove(range);
  unmap(range.lo, range.hi);
}

namespace {

// valgrind's tools keep books of every page that is reserved: of a tebibyte for minutes.
constexpr size_t kLimitInValgrind = size_t{16} << 30;

// valgrind takes this sequence, which changes nothing, for a question; the answer replaces the
// default. 0x1001: how deep we run in valgrind.
bool runs_in_valgrind() {
  const volatile uint64_t question[6] = {0x1001, 0, 0, 0, 0, 0};
  uint64_t depth = 0;
  asm volatile(
      "rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi; xchgq %%rbx, %%rbx"
      : "+d"(depth)
      : "a"(question)
      : "cc", "memory");
  return depth != 0;
}

}  // namespace

size_t address_space_limit() {
  static std::atomic<size_t> last{SIZE_MAX};
  if (few_calls.load(std::memory_order_relaxed)) return last.load(std::memory_order_relaxed);
  struct {
    uint64_t current, maximum;
  } limit{};
  const long result = sys::call(SYS_prlimit64, 0, RLIMIT_AS, nullptr, &limit);
  size_t now = sys::failed(result) ? SIZE_MAX : limit.current;  // RLIM_INFINITY is SIZE_MAX
  if (now > kLimitInValgrind && runs_in_valgrind()) now = kLimitInValgrind;
  last.store(now, std::memory_order_relaxed);
  return now;
}

void lay_by_address_space() {
  spare::reserve();
}

void claim_own(Range range) {
  own_ranges::add(range);
}

}  // namespace heaprake::platform
