// Files that the program or its user has named for us to write or read, without libc.
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

// Any of our outputs may be a pipe, which without O_NONBLOCK waits for a reader with all signals
// blocked, or a terminal.
constexpr int kWriting = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr int kMostLinks = 40;  // the kernel's own bound

std::atomic<bool> notes_are_forbidden{false};

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

// Takes back what was written at the end of the file, if it still is the end.
void take_back(int fd, size_t written) {
  struct stat status {};
  const long end = sys::call(SYS_lseek, fd, 0, SEEK_CUR);
  if (sys::failed(end) || sys::failed(sys::call(SYS_fstat, fd, &status))) return;
  if (status.st_size == end) sys::call(SYS_ftruncate, fd, end - static_cast<long>(written));
}

// For as long as this descriptor is open. Where files have no locks there is nobody to ask.
bool lock(int fd) {
  constexpr long kAccess = -13, kAgain = -11;
  struct flock whole {};
  whole.l_type = F_WRLCK;
  const long result = sys::call(SYS_fcntl, fd, F_OFD_SETLK, &whole);
  return result != kAgain && result != kAccess;
}

// Its last owner may have renamed or removed it between our opening and our locking it.
bool is_still_named(int fd, const char* name, struct stat* status) {
  struct stat named {};
  return !sys::failed(sys::call(SYS_fstat, fd, status)) && S_ISREG(status->st_mode) &&
         !sys::failed(sys::call(SYS_newfstatat, AT_FDCWD, name, &named, AT_SYMLINK_NOFOLLOW)) &&
         named.st_dev == status->st_dev && named.st_ino == status->st_ino;
}

// A directory in which nobody but this process's user and root can make or change anything. As it
// was when the program began: it may have become another user since.
bool is_own(const struct stat& directory) {
  constexpr mode_t kOthersWrite = 022;
  return (directory.st_uid == 0 || directory.st_uid == getauxval(AT_EUID)) &&
         (directory.st_mode & kOthersWrite) == 0;
}

// -1: it is somebody else's now.
int open_locked(const char* name) {
  const long opened = sys::call(SYS_openat, AT_FDCWD, name, kWriting | O_NOFOLLOW, 0666);
  if (sys::failed(opened)) return -1;
  const int fd = static_cast<int>(opened);
  struct stat status {};
  if (lock(fd) && is_still_named(fd, name, &status) &&
      (status.st_size == 0 || !sys::failed(sys::call(SYS_ftruncate, fd, 0))))
    return fd;
  sys::call(SYS_close, fd);
  return -1;
}

// Whoever has made the old version readable for others wants the new one to be, too.
void keep_permissions(int fd, const char* old) {
  struct stat before {
  }, now{};
  if (sys::failed(sys::call(SYS_newfstatat, AT_FDCWD, old, &before, 0)) ||
      sys::failed(sys::call(SYS_fstat, fd, &now)) || !S_ISREG(before.st_mode))
    return;
  constexpr mode_t kPermissions = 0777;
  if (((before.st_mode ^ now.st_mode) & kPermissions) != 0)
    sys::call(SYS_fchmod, fd, before.st_mode & kPermissions);
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

int open_in_own_directory(const char* path, bool fresh, int* error) {
  char folder[PATH_MAX];
  const char* slash = strrchr(path, '/');
  const auto length = slash ? static_cast<size_t>(slash - path) : 0;
  *error = ENOENT;
  if (length == 0 || length >= sizeof folder) return -1;
  __builtin_memcpy(folder, path, length);
  folder[length] = 0;
  const long opened =
      sys::call(SYS_openat, AT_FDCWD, folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (sys::failed(opened)) {
    *error = static_cast<int>(-opened);
    return -1;
  }
  const int directory = static_cast<int>(opened);
  struct stat status {};
  long fd = -ENOENT;
  if (!sys::failed(sys::call(SYS_fstat, directory, &status)) && is_own(status))
    fd = sys::call(SYS_openat, directory, slash + 1,
                   kWriting | O_NOFOLLOW | (fresh ? O_EXCL : O_TRUNC), 0666);
  sys::call(SYS_close, directory);
  *error = sys::failed(fd) ? static_cast<int>(-fd) : 0;
  return sys::failed(fd) ? -1 : static_cast<int>(fd);
}

int why_not_written(int fd) {
  if (notes_are_forbidden.load(std::memory_order_relaxed)) return 0;
  const long written = sys::call(SYS_write, fd, "", 1);
  const uint64_t signals = uint64_t{1} << (SIGXFSZ - 1);
  const timespec now{};
  sys::call(SYS_rt_sigtimedwait, &signals, nullptr, &now, sizeof signals);
  return sys::failed(written) ? static_cast<int>(-written) : 0;
}

void forbid_notes() {
  notes_are_forbidden.store(true, std::memory_order_relaxed);
}

void leave_note(const char* path, const char* text) {
  if (!notes_are_forbidden.load(std::memory_order_relaxed))
    sys::call(SYS_symlinkat, text, AT_FDCWD, path);
}

int open_for_reading(const char* path) {
  const long fd = sys::call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  return sys::failed(fd) ? -1 : static_cast<int>(fd);
}

bool append_to_file(const char* path, const void* data, size_t length) {
  const long opened = sys::call(SYS_openat, AT_FDCWD, path, kWriting | O_APPEND, 0666);
  if (sys::failed(opened)) return false;
  const int fd = static_cast<int>(opened);
  // In one piece, so that records of several processes do not mix.
  const size_t written = write_once(fd, data, length);
  if (written != 0 && written != length) take_back(fd, written);
  sys::call(SYS_close, fd);
  return written == length;
}

int open_beside(const char* path, char (&name)[PATH_MAX]) {
  constexpr int kMostWriters = 256;  // at the same moment
  for (int number = 0; number < kMostWriters; ++number) {
    const int length = number == 0 ? snprintf(name, sizeof name, "%s.new", path)
                                   : snprintf(name, sizeof name, "%s.new%d", path, number);
    if (length >= static_cast<int>(sizeof name)) return -1;
    const int fd = open_locked(name);
    if (fd < 0) continue;
    keep_permissions(fd, path);
    return fd;
  }
  return -1;
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
