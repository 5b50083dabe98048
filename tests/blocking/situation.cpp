#include "tests/blocking/situation.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <thread>

#include "tests/blocking/disturber.h"

std::vector<Named>& situations() {
  static std::vector<Named> all;
  return all;
}

Situation timed(std::function<long()> call, long result, int error) {
  return {std::move(call), nullptr, result, error, kTimeoutNs};
}

Situation released(std::function<long()> call, std::function<void()> release, long result) {
  return {std::move(call), std::move(release), result, kKept, 0};
}

Pair::~Pair() {
  close(fd[0]);
  close(fd[1]);
}

std::shared_ptr<Pair> Pair::pipe() {
  std::shared_ptr<Pair> pair(new Pair);
  if (::pipe(pair->fd) != 0) std::abort();
  return pair;
}

std::shared_ptr<Pair> Pair::sockets() {
  std::shared_ptr<Pair> pair(new Pair);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair->fd) != 0) std::abort();
  return pair;
}

void Pair::fill() {
  const int flags = fcntl(fd[1], F_GETFL);
  fcntl(fd[1], F_SETFL, flags | O_NONBLOCK);
  char piece[4096] = {};
  while (write(fd[1], piece, sizeof piece) > 0) {
  }
  while (write(fd[1], piece, 1) > 0) {
  }
  fcntl(fd[1], F_SETFL, flags);
}

void drain(int fd, size_t bytes) {
  char piece[1000];
  while (bytes > 0) {
    const ssize_t got = read(fd, piece, std::min(bytes, sizeof piece));
    if (got <= 0) return;
    bytes -= static_cast<size_t>(got);
  }
}

namespace {

uint64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

struct Measured {
  long result = 0;
  int error = 0;
  uint64_t lasted_ns = 0;
  uint64_t stops = 0;
};

Measured measure(const Situation& situation, Disturber* disturber) {
  Measured measured;
  const uint64_t before = disturber->stops();
  std::thread caller([&] {
    const uint64_t start = now_ns();
    errno = kKept;
    measured.result = situation.call();
    measured.error = errno;
    measured.lasted_ns = now_ns() - start;
  });
  if (situation.release) {
    disturber->await(5);
    situation.release();
  }
  caller.join();
  measured.stops = disturber->stops() - before;
  return measured;
}

void check(const Named& named) {
  Disturber disturber;
  disturber.await(1);
  // On a busy machine a short wait may pass without a stop: such a try shows nothing.
  for (int tries = 0; tries < 100; ++tries) {
    const Situation situation = named.make();
    const Measured measured = measure(situation, &disturber);
    EXPECT_EQ(measured.result, situation.result);
    EXPECT_EQ(measured.error, situation.error);
    EXPECT_GE(measured.lasted_ns, situation.at_least_ns);
    if (measured.stops == 0 && !testing::Test::HasFailure()) continue;
    std::printf("%-28s result %ld, errno %d, %lu stops\n", named.name, measured.result,
                measured.error, static_cast<unsigned long>(measured.stops));
    return;
  }
  FAIL() << "the world never stopped meanwhile";
}

class Blocking : public testing::Test {
 public:
  explicit Blocking(const Named& named) : named_(named) {}
  void TestBody() override { check(named_); }

 private:
  Named named_;
};

}  // namespace

void register_situations() {
  for (const Named& named : situations()) {
    testing::RegisterTest("Blocking", named.name, nullptr, nullptr, __FILE__, __LINE__,
                          [&named]() -> testing::Test* { return new Blocking(named); });
  }
}
