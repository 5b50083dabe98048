// What a copy of the process would lack, and what forbids to make one: the kernel tells the flags
// of each mapping in /proc/PID/smaps, a line "VmFlags: rd wr ... dc ..." below the mapping's own.
#include <linux/fcntl.h>

#include "platform/maps_parser.h"
#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

constexpr long kInterrupted = -4;

bool begins(const char* text, const char* prefix) {
  while (*prefix != '\0')
    if (*text++ != *prefix++) return false;
  return true;
}

class FlagReader {
 public:
  explicit FlagReader(FunctionRef<void(Range)> lacks) : lacks_(lacks) {}

  // A line, terminated in place at line[length].
  void take(char* line, size_t length) {
    line[length] = '\0';
    if (begins(line, "VmFlags:")) return take_flags(line + 8);
    // Of the others only a mapping's own line begins with a digit or a small letter.
    if ((*line >= '0' && *line <= '9') || (*line >= 'a' && *line <= 'f')) {
      Mapping mapping;
      current_ = parse_maps_line(line, length, &mapping) ? mapping.range : Range{};
    }
  }
  bool watched() const { return watched_; }
  bool any_flags() const { return any_flags_; }

 private:
  void take_flags(const char* at) {
    any_flags_ = true;
    bool lacking = false;
    while (*at == ' ' && at[1] != '\0' && at[1] != ' ' && at[2] != '\0') {
      lacking = lacking || begins(at + 1, "dc") || begins(at + 1, "wf");
      watched_ = watched_ || begins(at + 1, "um") || begins(at + 1, "uw") || begins(at + 1, "ui");
      at += 3;
    }
    if (lacking && current_.lo < current_.hi) lacks_(current_);
  }

  FunctionRef<void(Range)> lacks_;
  Range current_;
  bool watched_ = false;
  bool any_flags_ = false;
};

}  // namespace

CopyGaps for_each_copy_gap(FunctionRef<void(Range)> lacks) {
  const long fd = sys::call(SYS_openat, AT_FDCWD, "/proc/thread-self/smaps", O_RDONLY | O_CLOEXEC);
  if (sys::failed(fd)) return CopyGaps::kUnknown;
  constexpr size_t kBufferSize = 2 * kPageSize;
  char buffer[kBufferSize + 1];
  size_t held = 0;
  FlagReader reader(lacks);
  long got;
  while ((got = sys::call(SYS_read, fd, buffer + held, kBufferSize - held)) != 0) {
    if (got == kInterrupted) continue;
    if (got < 0) break;
    const size_t filled = held + static_cast<size_t>(got);
    size_t from = 0;
    for (size_t at = held; at < filled; ++at) {
      if (buffer[at] != '\n') continue;
      reader.take(buffer + from, at - from);
      from = at + 1;
    }
    held = filled - from;
    // No line is as long as the buffer: paths are shorter than a page.
    if (held == kBufferSize) break;
    __builtin_memmove(buffer, buffer + from, held);
  }
  sys::call(SYS_close, fd);
  if (got != 0 || !reader.any_flags()) return CopyGaps::kUnknown;
  return reader.watched() ? CopyGaps::kForbidden : CopyGaps::kKnown;
}

bool is_traced() {
  const long fd = sys::call(SYS_openat, AT_FDCWD, "/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
  if (sys::failed(fd)) return false;
  char text[1024];
  const long got = sys::call(SYS_read, fd, text, sizeof text - 1);
  sys::call(SYS_close, fd);
  if (got <= 0) return false;
  text[got] = '\0';
  for (const char* at = text; *at != '\0'; ++at)
    if (begins(at, "\nTracerPid:\t")) return at[12] != '0';
  return false;
}

}  // namespace heaprake::platform
