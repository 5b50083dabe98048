// What a command asks the program: whatever it sends, the program answers in a form that the
// command's own reader takes, or, if it was not even a whole request, hangs up. The collector and
// the heap are stand-ins; the socket is a real one.
#include <sys/socket.h>
#include <sys/un.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <semaphore>
#include <thread>

#include "cli/answer.h"
#include "cli/failure.h"
#include "collector/collector.h"
#include "shim/hunt.h"
#include "shim/requests.h"
#include "shim/summary.h"

namespace heaprake::heap {
Geometry geometry{};
size_t slice_limit() {
  return 0;
}
size_t next_used_slice(size_t) {
  return 0;
}
Block block_at(size_t) {
  return {};
}
}  // namespace heaprake::heap

namespace heaprake::collector {
bool is_barred() {
  return false;
}
Mode mode() {
  return Mode::kCollect;
}
bool is_garbage(const heap::Block&) {
  return false;
}
Outcome collect_in_handler(const platform::StoppedThread&, bool) {
  static unsigned times = 0;
  ++times;
  return {times % 3 != 0, 1, 2, false, times % 5 == 0};
}
Outcome take_snapshot(const SnapshotPlan& plan, const platform::StoppedThread&,
                      platform::FunctionRef<void(bool)> begin) {
  begin(plan.all);
  if (plan.all) platform::write_all(plan.fd, "content", 7);
  return {};
}
}  // namespace heaprake::collector

namespace heaprake::shim {
gc_stats current_stats() {
  return {};
}
void add_programs_words(collector::SnapshotPlan*) {}
}  // namespace heaprake::shim

namespace {

using namespace heaprake;

constexpr size_t kMost = 1 << 12;

// The command, in a thread of its own: one connection after the other.
class Command {
 public:
  explicit Command(uint64_t nonce) : listener_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const int length = std::snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s%012lx",
                                     HEAPRAKE_SOCKET_PREFIX, nonce);
    const size_t size = offsetof(sockaddr_un, sun_path) + 1 + static_cast<size_t>(length);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(size)) != 0 ||
        listen(listener_, 1) != 0)
      std::abort();
    std::thread([this] { serve(); }).detach();
  }
  void send_next(const uint8_t* data, size_t size) {
    data_ = data;
    size_ = size;
    next_.release();
  }
  // Whether a whole answer came to what was sent.
  bool answered() {
    done_.acquire();
    return answered_;
  }

 private:
  [[noreturn]] void serve() {
    for (;;) {
      next_.acquire();
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) std::abort();
      // The program may have hung up by now.
      [[maybe_unused]] const ssize_t sent = send(fd, data_, size_, MSG_NOSIGNAL);
      shutdown(fd, SHUT_WR);
      try {
        cli::read_answer(1, fd, [](std::string_view) {});
        answered_ = true;
      } catch (const cli::Failure&) {
        answered_ = false;
      }
      close(fd);
      done_.release();
    }
  }

  const int listener_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  bool answered_ = false;
  std::binary_semaphore next_{0}, done_{0};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const uint64_t nonce = static_cast<uint64_t>(getpid());
  static auto* command = new Command(nonce);
  static ucontext_t context;
  if (getcontext(&context) != 0) std::abort();
  command->send_next(data, size < kMost ? size : kMost);
  shim::on_request(nonce, &context, true);
  if (command->answered() != (size >= sizeof(heaprake_request))) std::abort();
  return 0;
}
