#include "cli/process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "cli/failure.h"

namespace heaprake::cli {
namespace {

std::string refusal(pid_t pid) {
  try {
    check_reachable(pid);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status, kExitFailure);
    return failure.message;
  }
  return "";
}

TEST(Process, StatusIsParsed) {
  const ProcessStatus status = parse_status(
      "Name:\tState: X\nState:\tS (sleeping)\nTgid:\t4711\nUid:\t1\t2\t3\t4\nVmRSS:\t    12 kB\n"
      "SigCgt:\t0000000100000001\nSeccomp:\t2\nSeccomp_filters:\t3\n");
  EXPECT_EQ(status.state, 'S');
  EXPECT_EQ(status.group, 4711);
  EXPECT_EQ(status.user, 2u);
  EXPECT_EQ(status.resident, 12u * 1024);
  EXPECT_EQ(status.caught, 0x100000001u);
  EXPECT_EQ(status.seccomp, 2);
  EXPECT_EQ(status.filters, 3);
}

TEST(Process, StatusSurvivesAnyText) {
  for (const char* text : {"", ":", "State", "State:", "State:\n\n", "Uid:\t", "Tgid:\tx"})
    EXPECT_EQ(parse_status(text).group, 0) << text;
}

TEST(Process, TheLibraryIsRecognisedInMaps) {
  const std::string start = "7f00-7f01 r-xp 0 00:00 1 ";
  for (const char* yes : {"/b/libheaprake.so", "/b/libheaprake.so.1", "/libheaprake.so (deleted)",
                          "/b/libheaprake.so.1.2 (deleted)"})
    EXPECT_TRUE(maps_name_library(start + yes + "\n7f02-7f03 rw-p 0 0 0\n")) << yes;
  for (const char* no :
       {"/b/libheaprake.so/x", "/b/libheaprake.soup", "/b/xlibheaprake.so", "/b/libheaprake", ""})
    EXPECT_FALSE(maps_name_library(start + no + "\n")) << no;
}

TEST(Process, ReadinessIsSeenInMaps) {
  const std::string code = "7f00-7f01 r-xp 0 00:00 1 /b/libheaprake.so.1\n";
  EXPECT_TRUE(maps_show_readiness(code + "7f01-7f02 -w-p 0 00:00 1 /b/libheaprake.so.1\n"));
  EXPECT_TRUE(maps_show_readiness(code + "7f01-7f02 -w-p 0 00:00 1 /libheaprake.so (deleted)"));
  for (const char* no :
       {"7f01-7f02 rw-p 0 00:00 1 /b/libheaprake.so.1\n", "7f01-7f02 -w-p 0 00:00 1 /b/libc.so.6\n",
        "7f01-7f02 -w-p 0 00:00 0\n", "7f01-7f02 rw-p 0 00:00 1 /b/ -w-p /libheaprake.so\n", ""})
    EXPECT_FALSE(maps_show_readiness(code + no)) << no;
}

TEST(Process, IdsAreNumbers) {
  EXPECT_EQ(parse_pid("4711"), 4711);
  for (const char* bad : {"", "0", "-1", "x", "1x", "2147483648", "99999999999999999999"})
    EXPECT_THROW(parse_pid(bad), Failure) << bad;
}

TEST(Process, ProcessesWithoutUsAreNeverSignalled) {
  EXPECT_NE(refusal(getpid()).find("does not run under heaprake"), std::string::npos);
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_NE(refusal(child).find("has ended"), std::string::npos);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(refusal(child), "there is no process " + std::to_string(child));
}

TEST(Process, TheMainThreadComesFirst) {
  const std::vector<pid_t> threads = threads_of(getpid());
  ASSERT_FALSE(threads.empty());
  EXPECT_EQ(threads[0], getpid());
}

}  // namespace
}  // namespace heaprake::cli
