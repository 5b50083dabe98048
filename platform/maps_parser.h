// The text of /proc/self/maps, a line at a time:
//   55d0c1a00000-55d0c1a21000 rw-p 00000000 00:00 0                          [heap]
#pragma once

#include "platform/platform.h"

namespace heaprake::platform {

// Parses `line`, `length` bytes without the newline. line[length] must be writable: the name is
// terminated in place, and out->name points into the line. false if it is no line of a maps file.
bool parse_maps_line(char* line, size_t length, Mapping* out);

// Feeds lines to parse_maps_line from text that arrives in pieces. Fill [space(), space() +
// room()), then call consume(). Names longer than the buffer are cut; the addresses are never lost.
class MapsReader {
 public:
  char* space() { return buffer_ + held_; }
  size_t room() const { return kBufferSize - held_; }
  enum class Result { kMore, kStopped, kMalformed };
  // Takes `length` new bytes; calls visit for each line that is complete. `end` says that no more
  // text follows, so that a last line without a newline counts too.
  Result consume(size_t length, bool end, FunctionRef<bool(const Mapping&)> visit);

 private:
  Result take_line(size_t from, size_t to, FunctionRef<bool(const Mapping&)> visit);

  // The kernel hands out whole lines, up to a page of them, and a path is shorter than a page.
  static constexpr size_t kBufferSize = 3 * kPageSize;
  size_t held_ = 0;        // bytes of an incomplete line at the buffer's start
  bool skipping_ = false;  // inside a line whose start has been parsed and whose rest is dropped
  char buffer_[kBufferSize + 1];
};

}  // namespace heaprake::platform
