// Knows when a thread is inside a finalizer or a callback of the program's: from there it must not
// begin another collection.
//
// UserCode is the frame's own record. Who leaves such a function by longjmp or an exception never
// comes back to end it; the record is then found to be no longer on the stack.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heaprake::collector {

class UserCode {
 public:
  UserCode();
  ~UserCode();
  UserCode(const UserCode&) = delete;
  UserCode& operator=(const UserCode&) = delete;

  // Whether the calling thread, whose stack is in use down to `sp`, is inside. Tells the listener
  // of one that was left for good.
  static bool is_running(uintptr_t sp);

 private:
  uintptr_t magic_;
  UserCode* outer_;
};

}  // namespace heaprake::collector
