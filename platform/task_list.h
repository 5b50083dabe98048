// The threads of this process as the kernel lists them in /proc/self/task.
#pragma once

#include "platform/platform.h"

namespace heaprake::platform {

enum class TaskKind {
  kAlive,
  kGone,
  kDead,    // has ended but is still listed: a main thread that called pthread_exit
  kKernel,  // runs kernel code only (an io_uring or vhost worker): holds nothing, takes no signal
};

// open, then the rest in any order, then close. One descriptor, close-on-exec.
class TaskList {
 public:
  bool open();
  // After open has failed: there is no such directory.
  bool is_missing() const { return missing_; }
  void close();
  // Every thread listed; may miss some while threads end. false when the list cannot be read or the
  // visitor returned false.
  bool for_each(FunctionRef<bool(int tid)> visit) const;
  // How many threads the process has, as one number read at once; 0 if the kernel does not say.
  size_t count() const;
  TaskKind examine(int tid) const;

 private:
  int directory_ = -1;
  bool missing_ = false;
};

}  // namespace heaprake::platform
