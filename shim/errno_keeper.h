// How the functions of gc.h treat errno.
#pragma once

#include <cerrno>

#include "shim/start.h"

namespace heaprake::shim {

// A call that succeeds leaves errno as it was; one that fails says why. Also starts the process, in
// case the call comes before any constructor.
class Errno {
 public:
  Errno() : value_(errno) { start_process(); }
  ~Errno() { errno = value_; }
  Errno(const Errno&) = delete;
  Errno& operator=(const Errno&) = delete;
  bool check(bool good, int error) {
    if (!good) value_ = error;
    return good;
  }
  // 0 or what went wrong.
  bool check(int error) { return check(error == 0, error); }

 private:
  int value_;
};

}  // namespace heaprake::shim
