// Each case of the victim under the library, reclaiming and as an oracle: the block survives, and
// goes once the kernel has given it back.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/shim/child.h"

namespace heaprake::test {
namespace {

const char* const kCases[] = {"pipe",
                              "fifo",
                              "socket_write",
                              "send",
                              "sendto",
                              "writev",
                              "sendmsg",
                              "sendmmsg",
                              "packed",
                              "long_message",
                              "twice",
                              "tee",
                              "mq_send",
                              "mq_timedsend",
                              "msgsnd",
                              "fork",
                              "sigqueue",
                              "pthread_sigqueue",
                              "rt_sigqueueinfo",
                              "sigwaitinfo",
                              "sigtimedwait",
                              "signalfd",
                              "timer",
                              "timer_thread_id",
                              "mq_notify",
                              "aio_read",
                              "epoll_add",
                              "epoll_modify",
                              "epoll_raw",
                              "epoll_duplicate",
                              "epoll_moved",
                              "epoll_10000",
                              "epoll_fork",
                              "epoll_passed",
                              "epoll_passed_many",
                              "io_uring_submitted",
                              "io_uring_completed"};

constexpr const char* kBusy = "threshold=64k:growth=0";
constexpr int kSkipped = 77;

class Carried : public testing::TestWithParam<const char*> {
 protected:
  static void run(const char* what, const std::string& options) {
    const Ended ended = run_preloaded({CARRIED_VICTIM, what, GetParam()}, options);
    if (ended.exit_code == kSkipped) GTEST_SKIP() << GetParam() << " " << ended.out;
    EXPECT_EQ(ended.exit_code, 0) << "signal " << ended.signal;
    EXPECT_EQ(ended.err, "");
  }
};

TEST_P(Carried, IsSoundNatively) {
  const Ended ended = run_natively({CARRIED_VICTIM, "survives", GetParam()});
  if (ended.exit_code == kSkipped) GTEST_SKIP() << GetParam() << " " << ended.out;
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
}
TEST_P(Carried, Survives) {
  run("survives", kBusy);
}
TEST_P(Carried, SurvivesWithoutMistake) {
  run("survives", std::string(kBusy) + ":mode=oracle:verify=1");
}
TEST_P(Carried, IsReleased) {
  if (std::string_view(GetParam()).starts_with("epoll_passed")) {
    GTEST_SKIP() << "what was registered with an epoll that was sent is kept for good";
  }
  if (GetParam() == std::string_view("aio_read")) {
    GTEST_SKIP() << "libc's helper thread keeps a copy on its stack as long as it lives";
  }
  run("released", kBusy);
}

INSTANTIATE_TEST_SUITE_P(Cases, Carried, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param); });

TEST(Traffic, IsSoundNatively) {
  const Ended ended = run_natively({CARRIED_TRAFFIC});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
}
TEST(Traffic, LosesAndKeepsNothing) {
  const Ended ended = run_preloaded({CARRIED_TRAFFIC}, kBusy);
  EXPECT_EQ(ended.exit_code, 0) << "signal " << ended.signal;
  EXPECT_EQ(ended.err, "");
}
TEST(Traffic, LosesNothingAsTheOracleSees) {
  const Ended ended = run_preloaded({CARRIED_TRAFFIC}, std::string(kBusy) + ":mode=oracle");
  EXPECT_EQ(ended.exit_code, 0) << "signal " << ended.signal;
  EXPECT_EQ(ended.err, "");
}

}  // namespace
}  // namespace heaprake::test
