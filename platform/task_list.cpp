#include "platform/task_list.h"

#include <linux/fcntl.h>
#include <sys/stat.h>

#include "platform/directory.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

// "<tid>/stat"
void write_stat_path(int tid, char* out) {
  char digits[12];
  int count = 0;
  for (int rest = tid; rest != 0; rest /= 10) digits[count++] = static_cast<char>('0' + rest % 10);
  while (count != 0) *out++ = digits[--count];
  __builtin_memcpy(out, "/stat", 6);
}

bool has_prefix(const char* text, const char* prefix) {
  while (*prefix != '\0')
    if (*text++ != *prefix++) return false;
  return true;
}

// "7 (iou-wrk-7) S 1 1 1 0 -1 4194368 ...": state, and six fields on the flags. The name may
// contain anything, so the last ')' counts.
TaskKind kind_of_stat(const char* text, size_t length) {
  constexpr uint64_t kIoWorker = 0x10, kUserWorker = 0x4000;  // PF_IO_WORKER, PF_USER_WORKER
  constexpr int kFieldsBeforeFlags = 5;
  size_t name = 0, state = length;
  while (name < length && text[name] != '(') ++name;
  while (state > name && text[state - 1] != ')') --state;
  if (state <= name || state + 2 >= length) return TaskKind::kAlive;
  const char* at = text + state + 1;
  if (*at == 'Z' || *at == 'X' || *at == 'x') return TaskKind::kDead;
  const char* const end = text + length;
  for (int field = 0; field <= kFieldsBeforeFlags; ++field) {
    while (at < end && *at != ' ') ++at;
    if (at < end) ++at;
  }
  uint64_t flags = 0;
  for (; at < end && *at >= '0' && *at <= '9'; ++at)
    flags = flags * 10 + static_cast<uint64_t>(*at - '0');
  // The bits have had other meanings in older kernels, and a program may choose any name: together
  // they are proof enough.
  const bool named = has_prefix(text + name, "(iou-") || has_prefix(text + name, "(vhost-");
  return named && (flags & (kIoWorker | kUserWorker)) != 0 ? TaskKind::kKernel : TaskKind::kAlive;
}

}  // namespace

bool TaskList::open() {
  const long fd =
      sys::call(SYS_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  constexpr long kNoEntry = -2;
  missing_ = fd == kNoEntry;
  directory_ = sys::failed(fd) ? -1 : static_cast<int>(fd);
  return directory_ >= 0;
}

void TaskList::close() {
  if (directory_ >= 0) sys::call(SYS_close, directory_);
  directory_ = -1;
}

bool TaskList::for_each(FunctionRef<bool(int tid)> visit) const {
  return for_each_number(directory_, visit);
}

size_t TaskList::count() const {
  struct stat status;
  if (sys::failed(sys::call(SYS_fstat, directory_, &status)) || status.st_nlink < 3) return 0;
  return status.st_nlink - 2;  // each thread's directory is a link; "." and ".." are two more
}

TaskKind TaskList::examine(int tid) const {
  char path[24], text[256];
  write_stat_path(tid, path);
  const long fd = sys::call(SYS_openat, directory_, path, O_RDONLY | O_CLOEXEC);
  constexpr long kNoEntry = -2, kNoProcess = -3;
  if (fd == kNoEntry || fd == kNoProcess) return TaskKind::kGone;
  if (sys::failed(fd)) return TaskKind::kAlive;
  const long got = sys::call(SYS_read, fd, text, sizeof text);
  sys::call(SYS_close, fd);
  if (got == kNoProcess) return TaskKind::kGone;
  if (got <= 0) return TaskKind::kAlive;
  return kind_of_stat(text, static_cast<size_t>(got));
}

bool is_alone() {
  TaskList list;
  const bool alone = list.open() && list.count() == 1;
  list.close();
  return alone;
}

}  // namespace heaprake::platform
