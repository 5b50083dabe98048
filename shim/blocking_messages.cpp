// Calls that send and receive messages, as far as these may carry addresses: the collector is shown
// what was sent, before the program goes on, and what was received.
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "collector/collector.h"
#include "shim/blocking.h"
#include "shim/passed_descriptors.h"
#include "shim/processes.h"

HEAPRAKE_NEXT(int(int, mmsghdr*, unsigned, int), sendmmsg);
HEAPRAKE_NEXT(ssize_t(int, int, size_t, unsigned), tee);
HEAPRAKE_NEXT(int(int, const void*, size_t, int), msgsnd);
HEAPRAKE_NEXT(int(int, const char*, size_t, unsigned), mq_send);
HEAPRAKE_NEXT(int(int, const char*, size_t, unsigned, const timespec*), mq_timedsend);

extern "C" {
__attribute__((visibility("hidden"))) extern heaprake::shim::Row heaprake_row_sendmmsg;
__attribute__((visibility("hidden"))) extern heaprake::shim::Row heaprake_row_msgsnd;
__attribute__((visibility("hidden"))) extern heaprake::shim::Row heaprake_row_tee;
__attribute__((visibility("hidden"))) extern heaprake::shim::Row heaprake_row_mq_send;
__attribute__((visibility("hidden"))) extern heaprake::shim::Row heaprake_row_mq_timedsend;
}

namespace heaprake::shim {
namespace {

// A System V message's bytes come after its type.
iovec after_type(const void* message, size_t bytes) {
  return {const_cast<char*>(static_cast<const char*>(message)) + sizeof(long), bytes};
}

void received_bytes(int fd, long address, size_t bytes) {
  const iovec piece{reinterpret_cast<void*>(address), bytes};
  collector::message_received({fd, &piece, 1, bytes});
}

void received_pieces(int fd, const iovec* pieces, size_t count, size_t bytes) {
  collector::message_received({fd, pieces, count, bytes});
}

void received_info(const siginfo_t* info) {
  if (info) collector::signal_arrived(reinterpret_cast<uintptr_t>(info->si_value.sival_ptr));
}

// A look at a message that stays where it is.
bool only_looks(const Call& call) {
  constexpr long kCopy = 040000;  // MSG_COPY of sys/msg.h
  switch (call.row->carries) {
    case BYTES:  // recv and its like have flags, read has none
      return call.row->waitall != 0 && (call.args[3] & MSG_PEEK) != 0;
    case MESSAGES:
      return (call.args[3] & MSG_PEEK) != 0;
    case MESSAGE:
      return (call.args[2] & MSG_PEEK) != 0;
    case SYSTEM_V:
      return (call.args[4] & kCopy) != 0;
    default:
      return false;
  }
}

uint64_t early_receipts() {
  return collector::heaprake_early_receipts.load(std::memory_order_relaxed);
}

// A call that sends one message whole or not at all, and returns 0.
template <class Call>
long send_whole(int fd, iovec piece, Call call) {
  const uint64_t early = early_receipts();
  const long result = call();
  if (result == 0) collector::message_sent({fd, &piece, 1, piece.iov_len}, early);
  return result;
}

}  // namespace

extern "C" {

// blocking.S: a send has moved `result` bytes, at least eight.
__attribute__((used, visibility("hidden"))) long heaprake_message_sent(const Call* call,
                                                                       long result) {
  const auto bytes = static_cast<size_t>(result);
  const iovec piece{reinterpret_cast<void*>(call->args[1]), bytes};
  if (!collector::may_carry(piece.iov_base, bytes)) return result;
  collector::message_sent({static_cast<int>(call->args[0]), &piece, 1, bytes}, call->started);
  return result;
}

// blocking.S: any call has returned, and there may be words under way.
__attribute__((used, visibility("hidden"))) long heaprake_message_received(const Call* call,
                                                                           long result) {
  const Carries carries = call->row->carries;
  if (carries == NOTHING || static_cast<int>(result) <= 0 || only_looks(*call)) return result;
  const auto bytes = static_cast<size_t>(result);
  const long* args = call->args;
  // MSG_TRUNC tells a datagram's own length.
  const size_t held = std::min(bytes, static_cast<size_t>(args[2]));
  const int fd = static_cast<int>(args[0]);
  switch (carries) {
    case BYTES:
      received_bytes(fd, args[1], held);
      break;
    case PIECES:
      received_pieces(fd, reinterpret_cast<const iovec*>(args[1]), static_cast<size_t>(args[2]),
                      bytes);
      break;
    case MESSAGE: {
      const auto* message = reinterpret_cast<const msghdr*>(args[1]);
      received_pieces(fd, message->msg_iov, message->msg_iovlen, bytes);
      break;
    }
    case MESSAGES: {
      const auto* messages = reinterpret_cast<const mmsghdr*>(args[1]);
      for (int i = 0; i < static_cast<int>(result); ++i) {
        const msghdr& message = messages[i].msg_hdr;
        received_pieces(fd, message.msg_iov, message.msg_iovlen, messages[i].msg_len);
      }
      break;
    }
    case QUEUE:
      received_bytes(collector::kPosixQueue, args[1], held);
      break;
    case SYSTEM_V:
      received_bytes(collector::kSystemVQueue, args[1] + static_cast<long>(sizeof(long)), held);
      break;
    case INFO:
      received_info(reinterpret_cast<const siginfo_t*>(args[1]));
      break;
    case NOTHING:
      break;
  }
  return result;
}

__attribute__((used, visibility("hidden"))) int heaprake_region_sendmmsg(int fd, mmsghdr* messages,
                                                                         unsigned count,
                                                                         int flags) {
  if (in_vfork_child()) return heaprake_next_sendmmsg(fd, messages, count, flags);
  const uint64_t early = early_receipts();
  const int sent = static_cast<int>(
      call_again(heaprake_row_sendmmsg, fd, reinterpret_cast<long>(messages), count, flags));
  for (int i = 0; i < sent; ++i) {
    const msghdr& message = messages[i].msg_hdr;
    collector::message_sent({fd, message.msg_iov, message.msg_iovlen, messages[i].msg_len}, early);
    note_passed_descriptors(message);
  }
  return sent;
}

__attribute__((used, visibility("hidden"))) ssize_t heaprake_region_tee(int from, int to,
                                                                        size_t bytes,
                                                                        unsigned flags) {
  if (in_vfork_child()) return heaprake_next_tee(from, to, bytes, flags);
  const uint64_t early = early_receipts();
  const long copied = call_again(heaprake_row_tee, from, to, static_cast<long>(bytes), flags);
  if (copied > 0) collector::message_copied(from, to, early);
  return copied;
}

__attribute__((used, visibility("hidden"))) int heaprake_region_msgsnd(int queue,
                                                                       const void* message,
                                                                       size_t bytes, int flags) {
  if (in_vfork_child()) return heaprake_next_msgsnd(queue, message, bytes, flags);
  return static_cast<int>(send_whole(collector::kSystemVQueue, after_type(message, bytes), [&] {
    return static_cast<int>(call_again(heaprake_row_msgsnd, queue, reinterpret_cast<long>(message),
                                       static_cast<long>(bytes), flags));
  }));
}

__attribute__((used, visibility("hidden"))) int heaprake_region_mq_send(int queue,
                                                                        const char* message,
                                                                        size_t bytes,
                                                                        unsigned priority) {
  if (in_vfork_child()) return heaprake_next_mq_send(queue, message, bytes, priority);
  const iovec piece{const_cast<char*>(message), bytes};
  return static_cast<int>(send_whole(collector::kPosixQueue, piece, [&] {
    return static_cast<int>(call_again(heaprake_row_mq_send, queue, reinterpret_cast<long>(message),
                                       static_cast<long>(bytes), priority));
  }));
}

__attribute__((used, visibility("hidden"))) int heaprake_region_mq_timedsend(
    int queue, const char* message, size_t bytes, unsigned priority, const timespec* until) {
  if (in_vfork_child()) return heaprake_next_mq_timedsend(queue, message, bytes, priority, until);
  const iovec piece{const_cast<char*>(message), bytes};
  return static_cast<int>(send_whole(collector::kPosixQueue, piece, [&] {
    return static_cast<int>(call_again(heaprake_row_mq_timedsend, queue,
                                       reinterpret_cast<long>(message), static_cast<long>(bytes),
                                       priority, reinterpret_cast<long>(until)));
  }));
}

}  // extern "C"

}  // namespace heaprake::shim
