#include "cli/request.h"

#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <thread>

#include "cli/answer.h"
#include "cli/failure.h"
#include "cli/process.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kThreadTime{1000};   // for a thread to answer before another one is asked
constexpr milliseconds kConnectTime{8000};  // for any of them
constexpr int kBusyTries = 20;
constexpr milliseconds kBusyPause{100};
// Each has the program stand still until the library gives up, so they are fewer.
constexpr int kStopTries = 5;

std::string process_name(pid_t pid) {
  return "process " + std::to_string(pid);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void system_failure(const char* what) {
  throw Failure(kExitFailure, std::string(what) + ": " + std::strerror(errno));
}

uint64_t random_nonce() {
  uint64_t nonce = 0;
  if (getrandom(&nonce, 6, 0) != 6) system_failure("getrandom");
  return nonce;
}

// The socket to which the program will connect.
Descriptor listen_for(uint64_t nonce) {
  Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (listener.get() < 0) system_failure("socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // The leading NUL makes the name abstract: no file, and gone with the socket.
  const int length = std::snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s%012llx",
                                   HEAPRAKE_SOCKET_PREFIX, static_cast<unsigned long long>(nonce));
  const auto size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + static_cast<size_t>(length));
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
    system_failure("bind");
  if (listen(listener.get(), 16) != 0) system_failure("listen");
  return listener;
}

// False if this thread does not exist any more, or its signal queue is full.
bool queue_signal(pid_t pid, pid_t thread, uint64_t nonce) {
  siginfo_t info{};
  info.si_signo = HEAPRAKE_SIGNAL;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = reinterpret_cast<void*>(HEAPRAKE_COOKIE_TAG << 48 | nonce);
  if (syscall(SYS_rt_tgsigqueueinfo, pid, thread, HEAPRAKE_SIGNAL, &info) == 0) return true;
  if (errno == ESRCH || errno == EAGAIN) return false;
  throw Failure(kExitFailure, process_name(pid) + " may not be signalled: " + std::strerror(errno));
}

// The next connection that comes from the process itself; others are turned away.
Descriptor accept_from(const Descriptor& listener, pid_t pid, milliseconds time) {
  const Clock::time_point end = Clock::now() + time;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    if (left.count() <= 0 || !readable_within(listener.get(), left)) return Descriptor(-1);
    Descriptor connection(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ucred peer{};
    socklen_t size = sizeof peer;
    if (connection.get() >= 0 &&
        getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == pid)
      return connection;
  }
}

// Asks one thread after the other, the main thread first, until one connects.
Descriptor connect_to(pid_t pid) {
  const uint64_t nonce = random_nonce();
  const Descriptor listener = listen_for(nonce);
  const Clock::time_point end = Clock::now() + kConnectTime;
  for (pid_t thread : threads_of(pid)) {
    if (Clock::now() >= end) break;
    if (!queue_signal(pid, thread, nonce)) continue;
    Descriptor connection = accept_from(listener, pid, kThreadTime);
    if (connection.get() >= 0) return connection;
    // Its image or its state may have changed meanwhile; the next signal could kill it.
    check_reachable(pid);
  }
  check_reachable(pid);
  throw Failure(kExitFailure, process_name(pid) +
                                  " did not answer: its threads are blocked in the kernel, or it "
                                  "lives in another network namespace");
}

bool send_all(int fd, const void* data, size_t length) {
  const auto* next = static_cast<const char*>(data);
  while (length > 0) {
    const ssize_t n = send(fd, next, length, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    next += n;
    length -= static_cast<size_t>(n);
  }
  return true;
}

}  // namespace

void request(pid_t pid, heaprake_request_kind kind, const AnswerSink& sink, uint32_t flags) {
  int not_stopped = 0;
  for (int attempt = 0; attempt < kBusyTries; ++attempt) {
    check_reachable(pid);
    const Descriptor connection = connect_to(pid);
    const heaprake_request asked = {HEAPRAKE_PROTOCOL_VERSION, static_cast<uint32_t>(kind), flags,
                                    0};
    if (!send_all(connection.get(), &asked, sizeof asked)) {
      throw Failure(kExitFailure, process_name(pid) + " broke off its answer");
    }
    switch (read_answer(pid, connection.get(), sink)) {
      case HEAPRAKE_OK:
        return;
      case HEAPRAKE_BUSY:
        std::this_thread::sleep_for(kBusyPause);
        continue;
      case HEAPRAKE_GAVE_UP:
        // Most often a thread had no processor in time, since the machine is busy.
        if (++not_stopped < kStopTries) {
          std::this_thread::sleep_for(kBusyPause * (1 << not_stopped));
          continue;
        }
        throw Failure(kExitFailure, process_name(pid) +
                                        " could not stop all of its threads, and "
                                        "has changed nothing: ask again");
      default:
        throw Failure(kExitFailure, process_name(pid) +
                                        " runs under a version of heaprake that "
                                        "does not know this request");
    }
  }
  throw Failure(kExitFailure, process_name(pid) + " is busy with collections: ask again");
}

std::string request(pid_t pid, heaprake_request_kind kind, uint32_t flags) {
  std::string answer;
  request(
      pid, kind, [&](std::string_view piece) { answer += piece; }, flags);
  return answer;
}

}  // namespace heaprake::cli
