// What a program answers the command: nothing of it does harm, all that was announced arrives or a
// failure is told, and nothing more.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "cli/answer.h"
#include "cli/failure.h"

namespace {

using namespace heaprake::cli;

// Sent whole before it is read; mutations are no longer than a socket's buffer.
int answering(const uint8_t* data, size_t size) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
  constexpr size_t kMost = 1 << 16;
  const size_t length = size < kMost ? size : kMost;
  if (send(ends[1], data, length, MSG_NOSIGNAL) != static_cast<ssize_t>(length)) std::abort();
  close(ends[1]);
  return ends[0];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = answering(data, size);
  std::string content;
  bool failed = false;
  uint32_t status = 0;
  try {
    status = read_answer(1, fd, [&](std::string_view piece) { content += piece; });
  } catch (const Failure&) {
    failed = true;
  }
  close(fd);
  heaprake_answer head{};
  if (size < sizeof head) {
    if (!failed || !content.empty()) std::abort();
    return 0;
  }
  std::memcpy(&head, data, sizeof head);
  const size_t sent = size - sizeof head;
  const bool open_ended = head.length == UINT64_MAX;
  if (head.status != HEAPRAKE_OK) {
    if (failed || status != head.status || !content.empty()) std::abort();
    return 0;
  }
  if (failed != (!open_ended && sent < head.length)) std::abort();
  if (!failed && content.size() != (open_ended ? sent : head.length)) std::abort();
  if (content.size() > sent ||
      (!content.empty() && std::memcmp(content.data(), data + sizeof head, content.size()) != 0))
    std::abort();
  return 0;
}
