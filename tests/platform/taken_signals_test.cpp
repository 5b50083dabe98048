// What the main thread keeps of signals until it sends them to itself again.
#include "platform/taken_signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "platform/platform.h"

namespace heaprake::platform::taken_signals {
namespace {

constexpr size_t kMoreThanThereIsRoomFor = 2000;

siginfo_t queued(int signal, int value) {
  siginfo_t info{};
  info.si_signo = signal;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_value.sival_int = value;
  return info;
}

siginfo_t of_timer(int signal, int timer, int overrun) {
  siginfo_t info{};
  info.si_signo = signal;
  info.si_code = SI_TIMER;
  info.si_timerid = timer;
  info.si_overrun = overrun;
  return info;
}

// The test runs in the main thread of its process. Nothing is handled; what is pending is asked.
class TakenSignals : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(getpid(), gettid());
    sigset_t all;
    sigfillset(&all);
    ASSERT_EQ(pthread_sigmask(SIG_SETMASK, &all, &before_), 0);
  }
  void TearDown() override {
    forget();
    while (next().si_signo != 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  // The next pending signal; si_signo is 0 if there is none.
  static siginfo_t next() {
    sigset_t all;
    sigfillset(&all);
    siginfo_t info{};
    const timespec at_once{};
    if (sigtimedwait(&all, &info, &at_once) < 0) info.si_signo = 0;
    return info;
  }

 private:
  sigset_t before_;
};

TEST_F(TakenSignals, AreSentInOrderWithWhatTheyCarry) {
  for (int value = 0; value < 5; ++value) {
    const siginfo_t info = queued(SIGRTMIN, value);
    ASSERT_TRUE(add(SIGRTMIN, &info));
  }
  EXPECT_EQ(count(), 5u);
  EXPECT_EQ(send(getpid()), signal_bit(SIGRTMIN));
  EXPECT_EQ(count(), 0u);
  for (int value = 0; value < 5; ++value) {
    const siginfo_t info = next();
    EXPECT_EQ(info.si_signo, SIGRTMIN);
    EXPECT_EQ(info.si_value.sival_int, value);
  }
  EXPECT_EQ(next().si_signo, 0);
}

TEST_F(TakenSignals, OfAStandardOneThereIsOne) {
  const siginfo_t first = queued(SIGUSR1, 1), second = queued(SIGUSR1, 2);
  ASSERT_TRUE(add(SIGUSR1, &first));
  ASSERT_TRUE(add(SIGUSR1, &second));
  EXPECT_EQ(count(), 1u);
  send(getpid());
  EXPECT_EQ(next().si_value.sival_int, 1);
  EXPECT_EQ(next().si_signo, 0);
  // And afterwards there may be one again.
  ASSERT_TRUE(add(SIGUSR1, &second));
  EXPECT_EQ(count(), 1u);
}

TEST_F(TakenSignals, WhatNobodyReadsIsMadeUp) {
  ASSERT_TRUE(add(SIGUSR2, nullptr));
  send(getpid());
  const siginfo_t info = next();
  EXPECT_EQ(info.si_signo, SIGUSR2);
  EXPECT_EQ(info.si_code, SI_USER);
  EXPECT_EQ(info.si_pid, getpid());
}

TEST_F(TakenSignals, ATimersOverrunsAreCounted) {
  const siginfo_t first = of_timer(SIGALRM, 7, 1), again = of_timer(SIGALRM, 7, 2);
  const siginfo_t another = of_timer(SIGALRM, 8, 5);
  ASSERT_TRUE(add(SIGALRM, &first));
  ASSERT_TRUE(add(SIGALRM, &again));
  ASSERT_TRUE(add(SIGALRM, &another));
  send(getpid());
  const siginfo_t info = next();
  EXPECT_EQ(info.si_timerid, 7);
  EXPECT_EQ(info.si_overrun, 1 + 1 + 2);
}

TEST_F(TakenSignals, TheRoomEndsInTime) {
  size_t taken = 0;
  const siginfo_t info = queued(SIGRTMIN + 1, 0);
  while (add(SIGRTMIN + 1, &info)) ASSERT_LT(++taken, kMoreThanThereIsRoomFor);
  EXPECT_TRUE(are_nearly_full());
  // That one is kept, and so is one of each other number.
  EXPECT_EQ(count(), taken + 1);
  for (int signal = 1; signal < kFirstRealTime; ++signal) add(signal, nullptr);
  EXPECT_EQ(count(), taken + 1 + kFirstRealTime - 1);
}

TEST_F(TakenSignals, WhatIsRefusedStaysInOrder) {
  // Nothing can be queued for a process that is not ours to signal; its number is nobody's.
  constexpr int kNobody = 0x3ffffff;
  for (int value = 0; value < 3; ++value) {
    const siginfo_t info = queued(SIGRTMIN, value);
    ASSERT_TRUE(add(SIGRTMIN, &info));
  }
  EXPECT_EQ(send(kNobody), 0u);
  EXPECT_EQ(count(), 3u);
  EXPECT_EQ(send(getpid()), signal_bit(SIGRTMIN));
  for (int value = 0; value < 3; ++value) EXPECT_EQ(next().si_value.sival_int, value);
}

TEST_F(TakenSignals, AChildHasNone) {
  ASSERT_TRUE(add(SIGUSR1, nullptr));
  forget();
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(send(getpid()), 0u);
  ASSERT_TRUE(add(SIGUSR1, nullptr));
  EXPECT_EQ(count(), 1u);
}

}  // namespace
}  // namespace heaprake::platform::taken_signals
