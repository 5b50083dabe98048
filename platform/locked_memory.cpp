// mlockall, with an eye to our reservations. The kernel would fault in all that may be read, which
// makes page tables of 150 MB for tables that are not used yet, and would count a tebibyte of
// address space as locked. So mappings are locked one by one: the program's as it asked for, of
// ours what is committed, as it is touched.
#include "platform/locked_memory.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <atomic>

#include "platform/inherited_filter.h"
#include "platform/platform.h"
#include "platform/syscall.h"
#include "platform/thread_record.h"

namespace heaprake::platform {
namespace {

constexpr int kNotPermitted = 1;  // EPERM
constexpr int kNoMemory = 12;     // ENOMEM
constexpr unsigned kOnFault = MLOCK_ONFAULT;
constexpr size_t kNoLimit = size_t{1} << 46;  // as much as an address space may hold

// Whether the kernel's MCL_FUTURE is in force, so that what we commit is to be locked too.
std::atomic<bool> locks_future{false};
std::atomic<bool> forbidden{false};

int error_of(long result) {
  return sys::failed(result) ? static_cast<int>(-result) : 0;
}

// As much as RLIMIT_MEMLOCK lets this process lock.
size_t lockable_bytes() {
  struct {
    uint64_t current, maximum;
  } limit{};
  const long result = sys::call(SYS_prlimit64, 0, RLIMIT_MEMLOCK, nullptr, &limit);
  return sys::failed(result) ? SIZE_MAX : limit.current;
}

// Only the kernel knows whether the process may exceed the limit: capabilities count in the first
// user namespace alone. It is asked by locking, of nothing, more than the limit.
bool is_bound_by(size_t lockable) {
  if (lockable >= kNoLimit) return false;
  const size_t more = (lockable / kPageSize + 1) * kPageSize;
  void* probe = reserve(more, kPageSize, 0);
  if (probe == nullptr) return true;
  const bool exceeds = !sys::failed(sys::call(SYS_mlock2, probe, more, kOnFault));
  release(probe, more);
  return !exceeds;
}

// What the kernel would count, were our reservations not there. false: the list ends too early.
bool count_lockable(const AddressSpace& space, size_t* bytes) {
  *bytes = 0;
  return space.for_each_piece([&](const Mapping& mapping, bool ours) {
    if (!ours) *bytes += mapping.range.size();
    if (ours && mapping.writable) {
      space.for_each_touched(mapping.range, Pages::kTouched,
                             [&](Range touched) { *bytes += touched.size(); });
    }
    return true;
  });
}

bool lock(Range range, unsigned how) {
  return !sys::failed(sys::call(SYS_mlock2, range.lo, range.size(), how));
}

// Like mlockall, these do not tell what could not be locked: memory without access, devices, what
// another thread has just unmapped.
void lock_programs_pieces(const AddressSpace& space, unsigned how) {
  space.for_each_piece([&](const Mapping& mapping, bool ours) {
    if (!ours) lock(mapping.range, how);
    return true;
  });
}

// What is committed may be more than the limit allows, but what of it is in use was counted.
void lock_our_pieces(const AddressSpace& space) {
  space.for_each_piece([&](const Mapping& mapping, bool ours) {
    if (ours && mapping.writable && !lock(mapping.range, kOnFault)) {
      space.for_each_touched(mapping.range, Pages::kTouched,
                             [](Range touched) { lock(touched, kOnFault); });
    }
    return true;
  });
}

// 0, or why the kernel would not lock what there is.
int check_limit(const AddressSpace& space) {
  const size_t lockable = lockable_bytes();
  if (!is_bound_by(lockable)) return 0;
  if (lockable == 0) return kNotPermitted;
  size_t needed = 0;
  return count_lockable(space, &needed) && needed <= lockable ? 0 : kNoMemory;
}

int lock_mappings(const AddressSpace& space, int flags) {
  const bool current = (flags & MCL_CURRENT) != 0;
  const int error = current ? check_limit(space) : 0;
  if (error != 0) return error;
  // First what is to come, so that nothing is missed that comes meanwhile.
  if ((flags & MCL_FUTURE) != 0) {
    const long result = sys::call(SYS_mlockall, flags & ~MCL_CURRENT);
    if (sys::failed(result)) return error_of(result);
  } else if (locks_future.load()) {
    sys::call(SYS_munlockall);
  }
  if (current) lock_programs_pieces(space, (flags & MCL_ONFAULT) != 0 ? kOnFault : 0);
  // Future blocks may lie in what is committed already.
  lock_our_pieces(space);
  return 0;
}

}  // namespace

int lock_memory(int flags) {
  constexpr int kKnown = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;
  const bool valid = (flags & (MCL_CURRENT | MCL_FUTURE)) != 0 && (flags & ~kKnown) == 0;
  AddressSpace space;
  int error = 0;
  if (!valid || few_calls.load() || is_quiet() || !space.open()) {
    error = error_of(sys::call(SYS_mlockall, flags));
  } else {
    error = lock_mappings(space, flags);
    space.close();
  }
  if (error == 0) locks_future.store((flags & MCL_FUTURE) != 0);
  return error;
}

int unlock_memory() {
  locks_future.store(false);
  return error_of(sys::call(SYS_munlockall));
}

namespace locked_memory {

void note_commit(void* p, size_t bytes) {
  if (!locks_future.load(std::memory_order_relaxed) || forbidden.load() || is_quiet()) return;
  sys::call(SYS_mlock2, p, bytes, kOnFault);
}

void note_reservation(void* p, size_t bytes) {
  if (!locks_future.load(std::memory_order_relaxed) || forbidden.load() || is_quiet()) return;
  sys::call(SYS_munlock, p, bytes);
}

void forbid() {
  forbidden.store(true);
}

void reset_after_fork() {
  locks_future.store(false);
}

}  // namespace locked_memory
}  // namespace heaprake::platform
