#include "platform/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

constexpr size_t kNameBytes = 16;

}  // namespace

void own_thread_name(char* name) {
  char found[kNameBytes] = {};
  if (sys::failed(sys::call(SYS_prctl, PR_GET_NAME, found))) return;
  found[kNameBytes - 1] = 0;
  memcpy(name, found, kNameBytes);
}

bool thread_name(int tid, char* name) {
  if (sys::call(SYS_tgkill, process_id(), tid, 0) == -ESRCH) return false;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/comm", tid);
  const long fd = sys::call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (sys::failed(fd)) return true;
  char found[kNameBytes] = {};
  const long length = sys::call(SYS_read, fd, found, kNameBytes);
  sys::call(SYS_close, fd);
  if (length <= 1) return true;
  found[length - 1] = 0;  // a line feed
  memcpy(name, found, kNameBytes);
  return true;
}

}  // namespace heaprake::platform
