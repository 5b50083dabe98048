// /proc/self/smaps, a line at a time: a mapping's own line as in maps, then what the kernel counts
// of it ("Rss:    4 kB"), last its flags. Readable where pagemap is not.
#pragma once

#include <linux/fcntl.h>

#include "platform/maps_parser.h"
#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {

// The lines of a text that arrives in pieces, cut to the length that matters here.
class ProcLines {
 public:
  // visit(text, length) returns false to stop; so does this.
  template <class Visit>
  bool consume(const char* text, size_t bytes, Visit visit) {
    for (size_t i = 0; i < bytes; ++i) {
      if (text[i] != '\n') {
        if (length_ < kMost) line_[length_++] = text[i];
        continue;
      }
      const size_t length = length_;
      length_ = 0;
      if (!visit(line_, length)) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kMost = 512;
  char line_[kMost + 1];  // and room for a terminator
  size_t length_ = 0;
};

// A mapping's own line begins with its address, those about it with a capital letter.
inline bool begins_a_mapping(const char* line, size_t length) {
  return length != 0 && (line[0] < 'A' || line[0] > 'Z');
}

// A file of /proc a line at a time. visit(line, length) returns false to stop. Returns whether the
// file could be read to the end, or to where the visitor stopped.
template <class Visit>
bool for_each_line_of(const char* path, Visit visit) {
  constexpr long kInterrupted = -4;
  const long file = sys::call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (sys::failed(file)) return false;
  ProcLines lines;
  char buffer[8192];
  bool wanted = true;
  long got = 1;
  while (wanted && got > 0) {
    do got = sys::call(SYS_read, file, buffer, sizeof buffer);
    while (got == kInterrupted);
    if (got > 0) wanted = lines.consume(buffer, static_cast<size_t>(got), visit);
  }
  sys::call(SYS_close, file);
  return got >= 0;
}

template <class Visit>
bool for_each_smaps_line(Visit visit) {
  // By way of the thread: a process whose main thread has ended shows no memory as its own.
  return for_each_line_of("/proc/thread-self/smaps", visit);
}

}  // namespace heaprake::platform
