// What descriptors stand for: a part of the contract (platform.h), under the same terms.
#pragma once

#include <cstdint>

#include "platform/function_ref.h"

namespace heaprake::platform {

enum class EpollRead {
  kWhole,
  kNoEpoll,  // the descriptor is closed, or is something else
  kFailed    // it is an epoll, or may be one, and its list could not be read to the end
};
// Whose table of descriptors is meant: the calling thread's, or that of a thread that stands still.
inline constexpr int kOwnTable = 0;
// The data word of each of an epoll descriptor's registrations. Stops (kFailed) when the visitor
// returns false.
EpollRead for_each_epoll_word(int thread, int fd, FunctionRef<bool(uint64_t)> visit);
// Every descriptor that is an epoll. false: not all could be told, or the visitor returned false.
bool for_each_epoll(int thread, FunctionRef<bool(int fd)> visit);
// Whether the calling thread's descriptor is one. Opens nothing.
bool is_epoll(int fd);

// Where the bytes that a descriptor takes go, and those that it gives come from.
struct Channel {
  enum Kind : uint64_t {
    kNone,         // not one that can bring a message back to this process
    kPipe,         // or FIFO; `id` is the same at both ends
    kLocalSocket,  // AF_UNIX
    kAnonymous     // signalfd, eventfd and their like
  };
  Kind kind = kNone;
  uint64_t id = 0;
};
Channel channel_of(int fd);

// From now on a socket is not asked for its kind, and counts as a local one: the program's seccomp
// filter would end it for that.
void forbid_questions_to_sockets();
bool questions_to_sockets_are_forbidden();

}  // namespace heaprake::platform
