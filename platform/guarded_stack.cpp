#include "platform/guarded_stack.h"

#include <cerrno>

#include "platform/syscall.h"

extern "C" void* __libc_stack_end __attribute__((weak));

namespace heaprake::platform {
namespace {

constexpr uintptr_t kPageMask = kPageSize - 1;
// How far below what is known the same stack is looked for.
constexpr size_t kMaxStep = 8u << 20;
// A thread may begin on a stack that is not its own.
constexpr unsigned kPatience = 8, kRetryPeriod = 256;

uintptr_t page_of(uintptr_t address) {
  return address & ~kPageMask;
}

}  // namespace

bool is_readable(uintptr_t address) {
  // The kernel reads the new mask before it finds that there is no such way of setting it.
  constexpr long kNoSuchWay = -1;
  const uintptr_t aligned = address & ~uintptr_t{7};
  return sys::call(SYS_rt_sigprocmask, kNoSuchWay, aligned, nullptr, 8) == -EINVAL;
}

bool OwnStack::reaches(uintptr_t sp, uintptr_t end) const {
  if (end <= sp || end - sp > kMaxStep) return false;
  for (uintptr_t page = page_of(sp) + kPageSize; page < end; page += kPageSize) {
    if (!is_readable(page)) return false;
  }
  return true;
}

bool OwnStack::look(uintptr_t sp) {
  if (foreign_.contains(sp)) return false;
  if (known_.hi != 0) {
    if (reaches(sp, known_.lo)) {
      known_.lo = page_of(sp);
      return true;
    }
    foreign_ = {page_of(sp), page_of(sp) + kPageSize};
    return false;
  }
  if (misses_ >= kPatience && misses_ % kRetryPeriod != 0) {
    ++misses_;
    return false;
  }
  // A thread's control block lies at the upper end of its stack, but for the first thread, whose
  // stack ends where the kernel has put the arguments.
  const auto tcb = reinterpret_cast<uintptr_t>(__builtin_thread_pointer());
  const auto stack_end =
      &__libc_stack_end == nullptr ? 0 : reinterpret_cast<uintptr_t>(__libc_stack_end);
  for (uintptr_t end : {tcb, stack_end}) {
    if (!reaches(sp, end)) continue;
    known_ = {page_of(sp), end & ~uintptr_t{7}};
    return true;
  }
  ++misses_;
  return false;
}

bool StackReader::extend_to(uintptr_t address) {
  if (own_ || address % sizeof(uintptr_t) != 0 || address < readable_.lo) return false;
  if (!is_readable(address)) return false;
  const uintptr_t page = page_of(address);
  // What lies between is neither known nor needed.
  readable_ = {page == readable_.hi ? readable_.lo : page, page + kPageSize};
  return true;
}

}  // namespace heaprake::platform
