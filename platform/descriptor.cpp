// What a descriptor leads to and what a handler is given, as far as messages are concerned.
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>

#include "platform/platform.h"
#include "platform/sigaction.h"
#include "platform/syscall.h"

namespace heaprake::platform {

namespace {
std::atomic<bool> sockets_are_local{false};
}

bool questions_to_sockets_are_forbidden() {
  return sockets_are_local.load(std::memory_order_relaxed);
}
void forbid_questions_to_sockets() {
  sockets_are_local.store(true, std::memory_order_relaxed);
}

Channel channel_of(int fd) {
  struct stat status;
  if (sys::failed(sys::call(SYS_fstat, fd, &status))) return {};
  switch (status.st_mode & S_IFMT) {
    case S_IFIFO:
      return {Channel::kPipe, status.st_ino};
    case S_IFSOCK: {
      if (questions_to_sockets_are_forbidden()) return {Channel::kLocalSocket, 0};
      int domain = -1;
      int length = sizeof domain;
      sys::call(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &length);
      return {domain == AF_UNIX ? Channel::kLocalSocket : Channel::kNone, 0};
    }
    case 0:
      return {Channel::kAnonymous, 0};
    default:
      return {};
  }
}

bool handler_takes_info(int signal) {
  constexpr uint64_t kSaSiginfo = 4;
  KernelSigaction action{};
  return get_action(signal, &action) && (action.flags & kSaSiginfo) != 0;
}

}  // namespace heaprake::platform
