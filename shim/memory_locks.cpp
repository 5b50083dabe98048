// mlockall and munlockall: the heap's reservations are not meant (platform's locked_memory.cpp).
#include <sys/mman.h>

#include <cerrno>

#include "platform/platform.h"
#include "shim/export.h"

namespace heaprake::shim {
namespace {

int result_of(int error) {
  if (error == 0) return 0;
  errno = error;
  return -1;
}

}  // namespace

HEAPRAKE_EXPORT int mlockall(int flags) noexcept {
  return result_of(platform::lock_memory(flags));
}
HEAPRAKE_EXPORT int munlockall() noexcept {
  return result_of(platform::unlock_memory());
}

}  // namespace heaprake::shim
