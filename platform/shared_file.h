// A file that is mapped and shared: which parts of it hold data, in memory or not. A part of the
// contract (platform.h), under the same terms.
#pragma once

#include "platform/platform.h"

namespace heaprake::platform {

// For the length of one visit of a mapping. Opens the file by its path, if that still leads there,
// and not before it is asked.
class SharedFile {
 public:
  explicit SharedFile(const Mapping& mapping) : mapping_(mapping) {}
  ~SharedFile() { close(); }
  SharedFile(const SharedFile&) = delete;
  SharedFile& operator=(const SharedFile&) = delete;

  // The parts of `range`, which lies in the mapping, that may hold data: all of it where nobody
  // tells. None of a file that the kernel never drops from memory.
  void for_each_data(Range range, FunctionRef<void(Range)> visit);

 private:
  void open();
  void close();

  const Mapping& mapping_;
  bool opened_ = false;
  bool stays_in_memory_ = false;
  int file_ = -1;  // -1: it cannot be asked
};

}  // namespace heaprake::platform
