#include "platform/shared_file.h"

#include <linux/fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

constexpr int kSeekData = 3, kSeekHole = 4;
constexpr long kNoDataThere = -6;  // ENXIO

bool is_regular(int fd, uint64_t inode) {
  // The device may differ: file systems of layers and of volumes show one of their own.
  struct stat found {};
  return !sys::failed(sys::call(SYS_fstat, fd, &found)) && S_ISREG(found.st_mode) &&
         found.st_ino == inode;
}

// Of a path that names it without opening it: opening may have effects, were it no regular file.
int open_again(int path) {
  char link[] = "/proc/thread-self/fd/0000000000";
  char* at = link + sizeof link - 1;
  int rest = path;
  do *--at = static_cast<char>('0' + rest % 10);
  while ((rest /= 10) != 0);
  char* to = link + sizeof "/proc/thread-self/fd/" - 1;
  while ((*to++ = *at++) != '\0') {
  }
  const long fd = sys::call(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  return sys::failed(fd) ? -1 : static_cast<int>(fd);
}

}  // namespace

void SharedFile::open() {
  opened_ = true;
  const long path = sys::call(SYS_openat, AT_FDCWD, mapping_.name, O_PATH | O_CLOEXEC);
  if (sys::failed(path)) return;
  struct statfs system {};
  if (is_regular(static_cast<int>(path), mapping_.inode)) {
    stays_in_memory_ =
        !sys::failed(sys::call(SYS_fstatfs, path, &system)) && system.f_type == HUGETLBFS_MAGIC;
    file_ = open_again(static_cast<int>(path));
  }
  sys::call(SYS_close, path);
}

void SharedFile::close() {
  if (file_ >= 0) sys::call(SYS_close, file_);
  file_ = -1;
}

void SharedFile::for_each_data(Range range, FunctionRef<void(Range)> visit) {
  if (!opened_) open();
  if (stays_in_memory_) return;
  if (file_ < 0) return visit(range);
  const uintptr_t start = mapping_.offset - mapping_.range.lo;  // of the file, as an address
  for (uintptr_t at = range.lo; at < range.hi;) {
    const long data = sys::call(SYS_lseek, file_, at + start, kSeekData);
    if (data == kNoDataThere) return;
    if (sys::failed(data)) return visit({at, range.hi});
    const long hole = sys::call(SYS_lseek, file_, data, kSeekHole);
    const uintptr_t lo = static_cast<uintptr_t>(data) - start;
    uintptr_t hi = sys::failed(hole) ? range.hi : static_cast<uintptr_t>(hole) - start;
    if (lo >= range.hi) return;
    hi = (hi + kPageSize - 1) & ~(kPageSize - 1);
    visit({lo & ~(kPageSize - 1), hi < range.hi ? hi : range.hi});
    at = hi;
  }
}

}  // namespace heaprake::platform
