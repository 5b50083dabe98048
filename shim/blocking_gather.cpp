// writev and sendmsg inside a safe region. Cut short by a signal of ours, they go on with the rest,
// a few parts at a time: that takes a stream, on which where one call ends and the next begins does
// not show; a datagram is sent whole or not at all.
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/blocking.h"
#include "shim/passed_descriptors.h"
#include "shim/processes.h"

HEAPRAKE_NEXT(ssize_t(int, const iovec*, int), writev);
HEAPRAKE_NEXT(ssize_t(int, const msghdr*, int), sendmsg);

extern "C" {
__attribute__((visibility("hidden"))) extern heaprake::shim::Row heaprake_row_writev;
__attribute__((visibility("hidden"))) extern heaprake::shim::Row heaprake_row_sendmsg;
}

namespace heaprake::shim {
namespace {

constexpr size_t kParts = 32;

size_t total_length(const iovec* parts, size_t count) {
  size_t total = 0;
  for (size_t i = 0; i < count; ++i) total += parts[i].iov_len;
  return total;
}

// What comes after the first `done` bytes, as far as it fits into `rest`. Returns how many parts.
size_t remaining_parts(const iovec* parts, size_t count, size_t done, iovec (&rest)[kParts]) {
  size_t filled = 0;
  for (size_t i = 0; i < count && filled < kParts; ++i) {
    if (done >= parts[i].iov_len) {
      done -= parts[i].iov_len;
      continue;
    }
    rest[filled++] = {static_cast<char*>(parts[i].iov_base) + done, parts[i].iov_len - done};
    done = 0;
  }
  return filled;
}

// `send` sends the parts that it is given and returns as sendmsg does.
template <class Send>
long send_rest(const iovec* parts, size_t count, long result, Send send) {
  if (result < 0) return result;
  const size_t total = total_length(parts, count);
  const int kept_errno = errno;
  auto done = static_cast<size_t>(result);
  bool ours = done < total && platform::interrupted_by_us_alone();
  while (ours && done < total) {
    iovec rest[kParts];
    const size_t filled = remaining_parts(parts, count, done, rest);
    result = send(rest, filled);
    if (result < 0) break;
    done += static_cast<size_t>(result);
    // All that was offered is gone, or something else than our signal cut it short.
    ours = static_cast<size_t>(result) == total_length(rest, filled) ||
           platform::interrupted_by_us_alone();
  }
  errno = kept_errno;
  return static_cast<long>(done);
}

uint64_t early_receipts() {
  return collector::heaprake_early_receipts.load(std::memory_order_relaxed);
}

void look_at_sent(int fd, const iovec* parts, size_t count, long result, uint64_t early) {
  if (result <= 0) return;
  collector::message_sent({fd, parts, count, static_cast<size_t>(result)}, early);
}

}  // namespace

extern "C" {

__attribute__((used, visibility("hidden"))) ssize_t heaprake_region_writev(int fd,
                                                                           const iovec* parts,
                                                                           int count) {
  if (in_vfork_child()) return heaprake_next_writev(fd, parts, count);
  const uint64_t early = early_receipts();
  const auto pieces = static_cast<size_t>(count);
  long result = call_again(heaprake_row_writev, fd, reinterpret_cast<long>(parts), count);
  result = send_rest(parts, pieces, result, [&](const iovec* rest, size_t n) {
    return call_again(heaprake_row_writev, fd, reinterpret_cast<long>(rest), static_cast<long>(n));
  });
  look_at_sent(fd, parts, pieces, result, early);
  return result;
}

__attribute__((used, visibility("hidden"))) ssize_t heaprake_region_sendmsg(int fd,
                                                                            const msghdr* message,
                                                                            int flags) {
  if (in_vfork_child()) return heaprake_next_sendmsg(fd, message, flags);
  const uint64_t early = early_receipts();
  long result = call_again(heaprake_row_sendmsg, fd, reinterpret_cast<long>(message), flags);
  if (result < 0) return result;
  note_passed_descriptors(*message);
  result = send_rest(message->msg_iov, message->msg_iovlen, result, [&](iovec* rest, size_t n) {
    // Descriptors and credentials have gone with the first part.
    msghdr more{};
    more.msg_name = message->msg_name;
    more.msg_namelen = message->msg_namelen;
    more.msg_iov = rest;
    more.msg_iovlen = n;
    return call_again(heaprake_row_sendmsg, fd, reinterpret_cast<long>(&more), flags);
  });
  look_at_sent(fd, message->msg_iov, message->msg_iovlen, result, early);
  return result;
}

}  // extern "C"

}  // namespace heaprake::shim
