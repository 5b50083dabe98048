// Reading memory that may not be there, without a signal.
#include <linux/fcntl.h>

#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

struct Span {
  void* base;
  size_t length;
};

constexpr size_t kChunk = 1u << 20;

// Up to `bytes`; less when a page in the middle cannot be read; negative on an error.
long read_through_kernel(void* to, uintptr_t from, size_t bytes) {
  const Span local{to, bytes};
  const Span remote{reinterpret_cast<void*>(from), bytes};
  // A file system of a process's may answer an interrupted reader that the page cannot be read.
  for (;;) {
    const uint32_t before = sys::put_off.load(std::memory_order_relaxed);
    const long got = sys::call(SYS_process_vm_readv, process_id(), &local, 1, &remote, 1, 0);
    if (got > 0 || !sys::was_put_off_since(before)) return got;
  }
}

size_t read_through_proc(void* to, uintptr_t from, size_t bytes) {
  const long fd = sys::call(SYS_openat, AT_FDCWD, "/proc/thread-self/mem", O_RDONLY | O_CLOEXEC);
  if (sys::failed(fd)) return 0;
  size_t done = 0;
  while (done < bytes) {
    const long got =
        sys::call(SYS_pread64, fd, static_cast<char*>(to) + done, bytes - done, from + done);
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  sys::call(SYS_close, fd);
  return done;
}

}  // namespace

size_t AddressSpace::read_guarded(void* to, uintptr_t from, size_t bytes) const {
  size_t done = 0;
  while (done < bytes) {
    const size_t chunk = bytes - done < kChunk ? bytes - done : kChunk;
    char* const target = static_cast<char*>(to) + done;
    const long got = read_through_kernel(target, from + done, chunk);
    // A page without permission, or the call is forbidden, as it may be in containers: the file
    // reads both.
    if (got <= 0) return done + read_through_proc(target, from + done, bytes - done);
    done += static_cast<size_t>(got);
  }
  return done;
}

}  // namespace heaprake::platform
