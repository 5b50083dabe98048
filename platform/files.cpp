// Files that the program or its user has named for us to write or read, without libc.
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <climits>
#include <cstring>

#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

// Any of our outputs may be a pipe, which without O_NONBLOCK waits for a reader with all signals
// blocked, or a terminal.
constexpr int kWriting = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr int kMostLinks = 40;  // the kernel's own bound

enum class Target {
  kNothing,
  kFile,
  kLinkToNothing,
  kDescriptor,  // /dev/stdout and its like: a file that somebody has open and writes himself
  kOther        // a device, a pipe, a directory
};

// Puts what the link at `path`, of which `fd` is a descriptor, says in its place. false: too long.
bool follow_link(int fd, char (&path)[PATH_MAX]) {
  char text[PATH_MAX];
  const long got = sys::call(SYS_readlinkat, fd, "", text, sizeof text - 1);
  if (got <= 0) return false;
  const auto length = static_cast<size_t>(got);
  text[length] = 0;
  const char* slash = strrchr(path, '/');
  const size_t folder = text[0] == '/' || !slash ? 0 : static_cast<size_t>(slash + 1 - path);
  if (folder + length >= sizeof path) return false;
  __builtin_memcpy(path + folder, text, length + 1);
  return true;
}

bool is_kernels_own(int fd) {
  struct statfs system {};
  return !sys::failed(sys::call(SYS_fstatfs, fd, &system)) && system.f_type == PROC_SUPER_MAGIC;
}

// Goes from link to link until `path` is none: with every other target than kFile it is of no use.
Target follow_links(char (&path)[PATH_MAX]) {
  for (int links = 0; links < kMostLinks; ++links) {
    const long opened = sys::call(SYS_openat, AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (sys::failed(opened)) return links == 0 ? Target::kNothing : Target::kLinkToNothing;
    const int fd = static_cast<int>(opened);
    struct stat status {};
    const bool known = !sys::failed(sys::call(SYS_fstat, fd, &status));
    const bool link = known && S_ISLNK(status.st_mode);
    const bool descriptor = link && is_kernels_own(fd);
    const bool followed = link && !descriptor && follow_link(fd, path);
    sys::call(SYS_close, fd);
    if (descriptor) return Target::kDescriptor;
    if (!link) return known && S_ISREG(status.st_mode) ? Target::kFile : Target::kOther;
    if (!followed) return Target::kOther;
  }
  return Target::kOther;
}

}  // namespace

int open_for_writing(const char* path) {
  char copy[PATH_MAX];
  const size_t length = strnlen(path, sizeof copy);
  if (length == sizeof copy) return -1;
  __builtin_memcpy(copy, path, length + 1);
  const int keep = follow_links(copy) == Target::kDescriptor ? O_APPEND : O_TRUNC;
  const long fd = sys::call(SYS_openat, AT_FDCWD, path, kWriting | keep, 0666);
  return sys::failed(fd) ? -1 : static_cast<int>(fd);
}

int open_new_for_writing(const char* path, bool* exists) {
  constexpr long kExists = -17;
  const long fd =
      sys::call(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  *exists = fd == kExists;
  return sys::failed(fd) ? -1 : static_cast<int>(fd);
}

int open_for_reading(const char* path) {
  const long fd = sys::call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  return sys::failed(fd) ? -1 : static_cast<int>(fd);
}

int open_for_appending(const char* path) {
  const long fd = sys::call(SYS_openat, AT_FDCWD, path, kWriting | O_APPEND, 0666);
  return sys::failed(fd) ? -1 : static_cast<int>(fd);
}

bool is_replaceable(char (&path)[PATH_MAX]) {
  const Target target = follow_links(path);
  return target == Target::kNothing || target == Target::kFile;
}

bool rename_file(const char* from, const char* to) {
  return !sys::failed(sys::call(SYS_rename, from, to));
}

void remove_file(const char* path) {
  sys::call(SYS_unlink, path);
}

}  // namespace heaprake::platform
