#include "shim/processes.h"

#include <sched.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdint>

#include "collector/collector.h"
#include "platform/platform.h"

namespace heaprake::shim {

extern "C" {
// How many vforks of this thread are under way (a vfork child may vfork). blocking.S reads it.
__attribute__((used, visibility("hidden"),
               tls_model("initial-exec"))) thread_local int heaprake_vfork_depth = 0;
}

bool in_vfork_child() {
  return heaprake_vfork_depth != 0;
}

void reset_processes_after_fork() {
  heaprake_vfork_depth = 0;
}

namespace {

constexpr uint64_t kSharedMemory = CLONE_VM, kLikeVfork = CLONE_VM | CLONE_VFORK,
                   kThread = CLONE_VM | CLONE_THREAD | CLONE_SETTLS;

bool has(uint64_t flags, uint64_t wanted) {
  return (flags & wanted) == wanted;
}

// A thread of the program's own making, with thread-local storage of its own, is a thread like any
// other. One without, or a process that shares our memory, cannot be told from its maker.
void note_sharer(uint64_t flags) {
  if (!has(flags, kSharedMemory)) return;
  if (!has(flags, kThread)) platform::note_foreign_sharer();
  if (!has(flags, CLONE_FILES)) collector::note_own_table();
}

}  // namespace

// For processes.S.
extern "C" {

__attribute__((used, visibility("hidden"))) void heaprake_before_vfork() {
  platform::note_vfork(1);
  ++heaprake_vfork_depth;
}

// In the parent, with what the kernel returned.
__attribute__((used, visibility("hidden"))) long heaprake_after_vfork(long result) {
  --heaprake_vfork_depth;
  platform::note_vfork(-1);
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

// True if the caller must surround the clone with before_vfork and after_vfork.
__attribute__((used, visibility("hidden"))) bool heaprake_before_clone(uint64_t flags) {
  if (has(flags, kLikeVfork) && !has(flags, kThread)) return true;
  note_sharer(flags);
  return false;
}

// syscall(number, argument, ...) with SYS_vfork, SYS_clone or SYS_clone3. What starts there cannot
// be waited for, since both sides return through here.
__attribute__((used, visibility("hidden"))) void heaprake_before_raw_clone(long number,
                                                                           uint64_t argument) {
  if (number == SYS_vfork) return platform::note_foreign_sharer();
  if (number == SYS_clone) return note_sharer(argument);
  if (argument != 0) note_sharer(*reinterpret_cast<const uint64_t*>(argument));
}

}  // extern "C"

}  // namespace heaprake::shim
