// What a program has registered with its epoll descriptors, as /proc/self/fdinfo tells it: a line
//     tfd:        4 events:       19 data:     5a3c00123456  pos:0 ino:f2511 sdev:f
// for each registration. The kernel writes the whole list at once, so that it is of one moment.
#include <linux/fcntl.h>

#include "platform/directory.h"
#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

constexpr long kInterrupted = -4, kNoEntry = -2;
constexpr char kEpollLink[] = "anon_inode:[eventpoll]";

// "/proc/thread-self/fd/7", "/proc/self/task/1234/fdinfo/7"; without the descriptor where it is
// negative.
class TablePath {
 public:
  TablePath(int thread, const char* what, int fd) {
    if (thread == kOwnTable) {
      append("/proc/thread-self");
    } else {
      append("/proc/self/task/");
      append(thread);
    }
    append(what);
    if (fd >= 0) append(fd);
  }
  const char* text() const { return text_; }

 private:
  void append(const char* part) {
    while (*part != '\0') *end_++ = *part++;
  }
  void append(int number) {
    char digits[12];
    int count = 0;
    do digits[count++] = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    while (count != 0) *end_++ = digits[--count];
  }

  char text_[64] = {};
  char* end_ = text_;
};

// Finds "data:" and the hexadecimal number behind it, wherever the buffers begin and end.
class DataWords {
 public:
  template <class Visit>
  bool consume(const char* text, size_t length, Visit visit) {
    for (size_t i = 0; i < length; ++i) {
      if (!take(text[i])) continue;
      matched_ = digits_ = 0;
      if (!visit(word_)) return false;
    }
    return true;
  }

 private:
  static constexpr char kKey[] = "data:";
  static constexpr int kKeyLength = sizeof kKey - 1;

  // True when the character ends a number.
  bool take(char c) {
    if (matched_ < kKeyLength) {
      matched_ = c == kKey[matched_] ? matched_ + 1 : c == kKey[0];
      word_ = 0;
      return false;
    }
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return digits_ != 0;
    word_ = word_ << 4 | static_cast<uint64_t>(digit);
    ++digits_;
    return false;
  }

  int matched_ = 0, digits_ = 0;
  uint64_t word_ = 0;
};

// 1: an epoll; 0: something else or closed; -1: cannot be told.
int kind_of(int thread, int fd) {
  char target[sizeof kEpollLink];
  const TablePath path(thread, "/fd/", fd);
  const long got = sys::call(SYS_readlinkat, AT_FDCWD, path.text(), target, sizeof target);
  if (sys::failed(got)) return got == kNoEntry ? 0 : -1;
  const bool same = got == sizeof target - 1 && __builtin_memcmp(target, kEpollLink, got) == 0;
  return same ? 1 : 0;
}

}  // namespace

bool is_epoll(int fd) {
  return fd >= 0 && kind_of(kOwnTable, fd) == 1;
}

EpollRead for_each_epoll_word(int thread, int fd, FunctionRef<bool(uint64_t)> visit) {
  const int kind = kind_of(thread, fd);
  if (kind <= 0) return kind == 0 ? EpollRead::kNoEpoll : EpollRead::kFailed;
  const TablePath path(thread, "/fdinfo/", fd);
  const long file = sys::call(SYS_openat, AT_FDCWD, path.text(), O_RDONLY | O_CLOEXEC);
  if (sys::failed(file)) return EpollRead::kFailed;
  DataWords words;
  char buffer[8192] = {};
  long got = 1;
  while (got > 0) {
    do got = sys::call(SYS_read, file, buffer, sizeof buffer);
    while (got == kInterrupted);
    if (got > 0 && !words.consume(buffer, static_cast<size_t>(got), visit)) got = -1;
  }
  sys::call(SYS_close, file);
  return got == 0 ? EpollRead::kWhole : EpollRead::kFailed;
}

bool for_each_epoll(int thread, FunctionRef<bool(int)> visit) {
  const TablePath path(thread, "/fd", -1);
  const long directory =
      sys::call(SYS_openat, AT_FDCWD, path.text(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (sys::failed(directory)) return false;
  const bool whole = for_each_number(static_cast<int>(directory), [&](int fd) {
    const int kind = kind_of(thread, fd);
    return kind == 0 || (kind > 0 && visit(fd));
  });
  sys::call(SYS_close, directory);
  return whole;
}

}  // namespace heaprake::platform
