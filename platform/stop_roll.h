// The threads that one stop has met, and what became of each. Used by the stopping thread alone.
#pragma once

#include "platform/stop_state.h"

namespace heaprake::platform {

enum class Standing : uint32_t {
  kSignalled,  // has been sent the signal, has not answered
  kAnswered,   // parked in the handler
  kInRegion,   // in a safe region; parks on its way out
  kDead,       // has ended, is still listed, and will be until the process ends
  kKernel,     // never runs the program's code
  kGone,       // has ended
};

class StopRoll {
 public:
  struct Entry {
    int tid;
    Standing standing;
    ThreadRecord* record;
  };

  void clear() { count_ = 0; }
  bool add(const Entry& entry);  // false when memory is out
  Entry* begin() { return entries_; }
  Entry* end() { return entries_ + count_; }
  size_t size() const { return count_; }
  size_t count(Standing standing) const;
  // Describes the threads that stand still, `self` first. Valid until the next call.
  bool describe(const StoppedThread& self, const StoppedThread** threads, size_t* count);

 private:
  Entry* entries_ = nullptr;
  size_t count_ = 0, capacity_ = 0;
  StoppedThread* threads_ = nullptr;
  size_t threads_capacity_ = 0;
};

}  // namespace heaprake::platform
