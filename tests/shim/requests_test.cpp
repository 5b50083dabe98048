// The command's side of heaprake/protocol.h, played by the test against a program that waits in a
// libc call, and one that is busy allocating.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "heaprake/gc.h"
#include "heaprake/protocol.h"
#include "heaprake/snapshot.h"
#include "tests/collector/snapshot_reader.h"

namespace {

// A child under the library, with pipes to its standard input and output.
class Target {
 public:
  Target(const char* how, const char* options) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) abort();
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      setenv("LD_PRELOAD", HEAPRAKE_LIBRARY, 1);
      setenv("HEAPRAKE_OPTIONS", options, 1);
      execl(REQUEST_TARGET, REQUEST_TARGET, how, nullptr);
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    input_ = in[1];
    output_ = fdopen(out[0], "r");
    EXPECT_EQ(line(), "ready\n");
  }
  ~Target() { std::fclose(output_); }
  std::string line() {
    char text[100] = {};
    return std::fgets(text, sizeof text, output_) ? text : "";
  }
  // Lets it end; returns its last line.
  std::string end() {
    close(input_);
    std::string last = line();
    int status = 0;
    waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    return last;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
  int input_;
  std::FILE* output_;
};

struct Reply {
  bool connected = false;
  heaprake_answer answer = {};
  std::string body;
  template <class T>
  T as(size_t index = 0) const {
    T value{};
    if (body.size() >= (index + 1) * sizeof value) {
      std::memcpy(&value, body.data() + index * sizeof value, sizeof value);
    }
    return value;
  }
};

int listen_at(uint64_t nonce) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  int length = std::snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s%012lx",
                             HEAPRAKE_SOCKET_PREFIX, nonce);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t size = offsetof(sockaddr_un, sun_path) + 1 + length;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) || listen(listener, 1)) abort();
  return listener;
}

void queue_signal(pid_t pid, uint64_t nonce) {
  siginfo_t info = {};
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = reinterpret_cast<void*>(HEAPRAKE_COOKIE_TAG << 48 | nonce);
  if (syscall(SYS_rt_tgsigqueueinfo, pid, pid, HEAPRAKE_SIGNAL, &info)) abort();
}

Reply ask(pid_t pid, uint32_t kind, uint32_t version = HEAPRAKE_PROTOCOL_VERSION,
          uint32_t flags = 0) {
  static uint64_t nonce = uint64_t(getpid()) << 16;
  Reply reply;
  int listener = listen_at(++nonce);
  queue_signal(pid, nonce);
  pollfd waiting = {listener, POLLIN, 0};
  if (poll(&waiting, 1, 20000) == 1) {
    int peer = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    heaprake_request request = {version, kind, flags, 0};
    reply.connected = write(peer, &request, sizeof request) == sizeof request &&
                      read(peer, &reply.answer, sizeof reply.answer) == sizeof reply.answer;
    char buffer[65536];
    for (ssize_t n; (n = read(peer, buffer, sizeof buffer)) > 0;) reply.body.append(buffer, n);
    close(peer);
  }
  close(listener);
  return reply;
}

class Requests : public testing::TestWithParam<const char*> {};

TEST_P(Requests, CollectReclaimsNowOrSoon) {
  Target target(GetParam(), "threshold=0");
  Reply reply = ask(target.pid(), HEAPRAKE_REQUEST_COLLECT);
  ASSERT_TRUE(reply.connected);
  EXPECT_EQ(reply.answer.status, HEAPRAKE_OK);
  EXPECT_EQ(reply.answer.length, sizeof(heaprake_collected));
  auto collected = reply.as<heaprake_collected>();
  EXPECT_GE(collected.blocks, 490u);
  EXPECT_LE(collected.blocks, 520u);
  EXPECT_GE(collected.bytes, collected.blocks * 1000);
  EXPECT_EQ(collected.mode, 0u);
  Reply again = ask(target.pid(), HEAPRAKE_REQUEST_COLLECT);
  if (!collected.pending) {
    EXPECT_LE(again.as<heaprake_collected>().blocks, 20u);
  }
  EXPECT_EQ(target.end(), "100 kept\n");
}

TEST_P(Requests, StatsAreTheApis) {
  Target target(GetParam(), "threshold=0");
  ask(target.pid(), HEAPRAKE_REQUEST_COLLECT);
  Reply reply = ask(target.pid(), HEAPRAKE_REQUEST_STATS);
  ASSERT_EQ(reply.body.size(), sizeof(gc_stats));
  EXPECT_EQ(reply.as<gc_stats>().collections, 1u);
  EXPECT_GE(reply.as<gc_stats>().live_blocks, 100u);
  EXPECT_EQ(target.end(), "100 kept\n");
}

TEST_P(Requests, ObjectsAreAllListed) {
  Target target(GetParam(), "threshold=0");
  Reply reply = ask(target.pid(), HEAPRAKE_REQUEST_OBJECTS);
  ASSERT_EQ(reply.answer.status, HEAPRAKE_OK);
  ASSERT_EQ(reply.body.size() % sizeof(heaprake_object), 0u);
  size_t found = 0;
  uint64_t last = 0;
  for (size_t i = 0; i < reply.body.size() / sizeof(heaprake_object); ++i) {
    auto object = reply.as<heaprake_object>(i);
    EXPECT_GT(object.address, last);
    last = object.address;
    found += object.size >= 2000 && object.size <= 2016;
  }
  EXPECT_EQ(found, 100u);
  EXPECT_EQ(target.end(), "100 kept\n");
}

TEST_P(Requests, SnapshotHoldsWhatIsUnreachable) {
  Target target(GetParam(), "mode=hunt");
  for (uint32_t flags : {0u, HEAPRAKE_REQUEST_ALL}) {
    Reply reply = ask(target.pid(), HEAPRAKE_REQUEST_SNAPSHOT, HEAPRAKE_PROTOCOL_VERSION, flags);
    ASSERT_EQ(reply.answer.status, HEAPRAKE_OK);
    heaprake::test::ReadSnapshot read = heaprake::test::read_snapshot(reply.body);
    EXPECT_EQ(read.header.pid, unsigned(target.pid()));
    EXPECT_GE(read.end.unreachable_blocks, 490u);
    EXPECT_LE(read.end.unreachable_blocks, 520u);
    EXPECT_GE(read.end.reachable_blocks, 100u);
    EXPECT_GE(read.end.roots, flags ? 1u : 0u);
    ASSERT_EQ(read.command.size(), 2u);
    EXPECT_EQ(read.command[1], GetParam());
  }
  EXPECT_EQ(target.end(), "100 kept\n");
}

// The answers come from copies of the program: none may be seen by it, or stay behind for long.
TEST(SnapshotCopies, AreForgottenAfterSomeTime) {
  Target target("busy", "mode=hunt");
  for (int i = 0; i < 40; ++i) {
    Reply reply = ask(target.pid(), HEAPRAKE_REQUEST_SNAPSHOT);
    ASSERT_EQ(reply.answer.status, HEAPRAKE_OK) << i;
    EXPECT_GE(heaprake::test::read_snapshot(reply.body).end.unreachable_blocks, 490u);
  }
  std::string children;
  std::string path = "/proc/" + std::to_string(target.pid()) + "/task/" +
                     std::to_string(target.pid()) + "/children";
  if (std::FILE* file = std::fopen(path.c_str(), "r")) {
    char text[4096];
    children.assign(text, std::fread(text, 1, sizeof text, file));
    std::fclose(file);
  }
  EXPECT_LE(std::count(children.begin(), children.end(), ' '), 16);
  EXPECT_EQ(target.end(), "100 kept\n");
}

TEST_P(Requests, UnknownOnesAreRefused) {
  Target target(GetParam(), "");
  EXPECT_EQ(ask(target.pid(), 99).answer.status, HEAPRAKE_UNKNOWN);
  EXPECT_EQ(ask(target.pid(), HEAPRAKE_REQUEST_STATS, 77).answer.status, HEAPRAKE_UNKNOWN);
  EXPECT_EQ(target.end(), "100 kept\n");
}

TEST_P(Requests, ManyInARow) {
  Target target(GetParam(), "threshold=64k:growth=0");
  for (int i = 0; i < 50; ++i) {
    Reply reply = ask(target.pid(), HEAPRAKE_REQUEST_COLLECT);
    ASSERT_TRUE(reply.connected) << i;
    EXPECT_TRUE(reply.answer.status == HEAPRAKE_OK || reply.answer.status == HEAPRAKE_BUSY);
  }
  EXPECT_EQ(target.end(), "100 kept\n");
}

INSTANTIATE_TEST_SUITE_P(Target, Requests, testing::Values("idle", "busy"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
