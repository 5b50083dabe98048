#include "cli/answer.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "cli/failure.h"

namespace heaprake::cli {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kAnswerTime{60000};  // of silence: a large heap takes time to mark

std::string name_of(pid_t pid) {
  return "process " + std::to_string(pid);
}

// At most `length` bytes; fewer at the end of the stream.
size_t receive(pid_t pid, int fd, char* to, size_t length) {
  size_t done = 0;
  while (done < length) {
    if (!readable_within(fd, kAnswerTime))
      throw Failure(kExitFailure, name_of(pid) + " stopped answering");
    const ssize_t n = recv(fd, to + done, length - done, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

[[noreturn]] void broken_off(pid_t pid) {
  throw Failure(kExitFailure, name_of(pid) + " broke off its answer");
}

void receive_content(pid_t pid, int fd, uint64_t length, const AnswerSink& sink) {
  std::vector<char> buffer(size_t{1} << 16);
  while (length > 0) {
    const size_t wanted = std::min<uint64_t>(length, buffer.size());
    const size_t got = receive(pid, fd, buffer.data(), wanted);
    if (got > 0) sink({buffer.data(), got});
    if (length != UINT64_MAX) length -= got;
    if (got == wanted) continue;
    if (length == UINT64_MAX) return;
    broken_off(pid);
  }
}

}  // namespace

bool readable_within(int fd, milliseconds time) {
  const Clock::time_point end = Clock::now() + time;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    pollfd poll_entry = {fd, POLLIN, 0};
    const int ready = poll(&poll_entry, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready >= 0) return ready > 0;
    if (errno != EINTR) throw Failure(kExitFailure, std::string("poll: ") + std::strerror(errno));
  }
}

uint32_t read_answer(pid_t pid, int fd, const AnswerSink& sink) {
  heaprake_answer answer{};
  if (receive(pid, fd, reinterpret_cast<char*>(&answer), sizeof answer) != sizeof answer) {
    broken_off(pid);
  }
  if (answer.status == HEAPRAKE_OK) receive_content(pid, fd, answer.length, sink);
  return answer.status;
}

}  // namespace heaprake::cli
