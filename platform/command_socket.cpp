// The way back to a `heaprake` command that has queued a request (heaprake/protocol.h).
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>

#include "heaprake/protocol.h"
#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

constexpr int kNonceDigits = 12;

// "\0heaprake-" and the nonce's twelve hexadecimal digits; returns the address's length.
size_t write_address(uint64_t cookie, struct sockaddr_un* address) {
  *address = {};
  address->sun_family = AF_UNIX;
  char* at = address->sun_path + 1;  // a leading NUL: the abstract name space
  for (const char* p = HEAPRAKE_SOCKET_PREFIX; *p != '\0'; ++p) *at++ = *p;
  for (int digit = kNonceDigits - 1; digit >= 0; --digit)
    *at++ = "0123456789abcdef"[(cookie >> (4 * digit)) & 15];
  return static_cast<size_t>(at - reinterpret_cast<char*>(address));
}

std::atomic<bool> forbidden{false};

// Of the library's file, so that the map names it. Its protection is all that it is for.
alignas(kPageSize) constinit volatile char sign[kPageSize] = {1};

bool set_time_outs(int fd) {
  const struct { int64_t seconds, microseconds; } limit{2, 0};
  return !sys::failed(
             sys::call(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit)) &&
         !sys::failed(sys::call(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
}

// Anybody may open an abstract socket of any name: only root and this user are obeyed.
bool owner_is_trusted(int fd) {
  struct {
    int pid;
    unsigned uid, gid;
  } peer{};
  unsigned length = sizeof peer;
  if (sys::failed(sys::call(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &length)))
    return false;
  return peer.uid == 0 || peer.uid == static_cast<unsigned>(sys::call(SYS_geteuid));
}

}  // namespace

void show_readiness_for_requests(bool ready) {
  ready = ready && !forbidden.load(std::memory_order_relaxed);
  sys::call(SYS_mprotect, &sign, sizeof sign, ready ? PROT_WRITE : PROT_READ | PROT_WRITE);
}

void forbid_requests() {
  forbidden.store(true, std::memory_order_relaxed);
  show_readiness_for_requests(false);
}

int connect_to_command(uint64_t cookie) {
  // The signal may have been sent before that was so.
  if (forbidden.load(std::memory_order_relaxed)) return -1;
  const long fd = sys::call(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (sys::failed(fd)) return -1;
  struct sockaddr_un address;
  const size_t length = write_address(cookie, &address);
  const int socket = static_cast<int>(fd);
  if (set_time_outs(socket) && !sys::failed(sys::call(SYS_connect, fd, &address, length)) &&
      owner_is_trusted(socket)) {
    return socket;
  }
  close_file(socket);
  return -1;
}

}  // namespace heaprake::platform
