// What the kernel tells of the process's signals and its main thread.
#pragma once

#include <cstdint>

namespace heaprake::platform {

struct MainStatus {
  bool is_able = false;  // the main thread runs, or sleeps so that a signal wakes it
  uint64_t blocked = 0;  // by the main thread
  uint64_t pending = 0;  // for the process, not for any thread of its own
};
// Opens a descriptor for a moment, so while the world is stopped. false: it cannot be told.
bool read_main_status(MainStatus* status);

}  // namespace heaprake::platform
