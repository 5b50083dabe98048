// The command with the real library, around a program that has never heard of it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>

#include "cli/snapshot/reader.h"
#include "run_command.h"
#include "temporary_files.h"

namespace heaprake::cli::test {
namespace {

TEST(EndToEnd, HuntFindsTheRingsAndTheBlock) {
  Files files;
  const Outcome outcome = run({"hunt", "--json", files.path("json"), LEAKER});
  EXPECT_EQ(outcome.status, 23) << outcome.error;
  EXPECT_NE(outcome.error.find("lost 3 times: 6 blocks, 240 bytes"), std::string::npos)
      << outcome.error;
  EXPECT_NE(outcome.error.find("block of 100 bytes"), std::string::npos) << outcome.error;
  const std::string json = files.read("json");
  EXPECT_NE(json.find("\"leaked_blocks\": 7"), std::string::npos) << json;
  EXPECT_NE(json.find("\"leaked_bytes\": 340"), std::string::npos);
  EXPECT_NE(json.find("\"complete\": true"), std::string::npos);
}

TEST(EndToEnd, HuntKeepsTheProgramsOwnStatus) {
  EXPECT_EQ(run({"hunt", LEAKER, "go", "9"}).status, 9);
  EXPECT_EQ(run({"hunt", "true"}).status, 0);
}

// What `heaprake hunt --help` says about endings.
TEST(EndToEnd, HuntExaminesOrderlyEndsHowSoever) {
  for (const char* way : {"exit", "_exit", "_Exit", "quick_exit", "exec"}) {
    Files files;
    const Outcome outcome = run({"hunt", "--json", files.path("json"), LEAKER, "end", way});
    EXPECT_EQ(outcome.status, 23) << way << outcome.error;
    EXPECT_NE(files.read("json").find("\"complete\": true"), std::string::npos) << way;
  }
}

TEST(EndToEnd, HuntSaysWhatItCouldNotExamine) {
  const std::vector<std::pair<const char*, int>> endings = {
      {"abort", 134}, {"exit_group", 0}, {"exec_clean", 0}};
  for (const auto& [way, status] : endings) {
    Files files;
    const Outcome outcome = run({"hunt", "--json", files.path("json"), LEAKER, "end", way});
    EXPECT_EQ(outcome.status, status) << way << outcome.error;
    EXPECT_NE(outcome.error.find("heaprake: incomplete: "), std::string::npos) << way;
    EXPECT_NE(files.read("json").find("\"complete\": false"), std::string::npos) << way;
  }
}

TEST(EndToEnd, RunPrintsASummary) {
  const Outcome outcome = run({"run", "--stats", LEAKER});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.error.substr(0, 10), "heaprake: ") << outcome.error;
}

// A program that waits, and what can be asked of it meanwhile.
class Waiting : public ::testing::Test {
 protected:
  void start(const std::string& mode, const std::string& threads = "one",
             const std::vector<std::string>& options = {}) {
    std::vector<std::string> words = {"run", "--mode=" + mode};
    words.insert(words.end(), options.begin(), options.end());
    for (const std::string& word :
         {std::string(LEAKER), std::string("stay"), std::string("4"), threads})
      words.push_back(word);
    running_.emplace(words);
    ASSERT_EQ(running_->read_line(), "ready");
    pid_ = std::to_string(running_->pid());
  }
  // A program that waits behind a seccomp filter; false if there are none here.
  bool start_shut_in(std::vector<std::string> words) {
    words.insert(words.begin(), {"run", SHUT_IN});
    running_.emplace(words);
    pid_ = std::to_string(running_->pid());
    return running_->read_line() == "ready";
  }
  void expect_refusals(const std::string& reason) {
    for (const char* command : {"stats", "collect", "objects", "report", "snapshot"}) {
      Files files;
      std::vector<std::string> words = {command, pid_};
      if (words[0] == "snapshot") words.insert(words.end(), {"-o", files.path("none")});
      const Outcome outcome = run(words);
      EXPECT_EQ(outcome.status, 1) << command << outcome.out;
      EXPECT_NE(outcome.error.find("does not take requests"), std::string::npos) << outcome.error;
      EXPECT_NE(outcome.error.find(reason), std::string::npos) << outcome.error;
    }
  }
  void finish() { EXPECT_EQ(running_->wait().status, 4); }
  std::optional<Running> running_;
  std::string pid_;
};

TEST_F(Waiting, PsListsIt) {
  start("oracle");
  const std::string list = run({"ps", "--json"}).out;
  EXPECT_NE(list.find("\"pid\": " + pid_), std::string::npos) << list;
  EXPECT_NE(run({"ps"}).out.find("oracle"), std::string::npos);
  finish();
}

TEST_F(Waiting, CollectReclaimsAndStatsTell) {
  start("collect");
  const Outcome collected = run({"collect", pid_});
  EXPECT_EQ(collected.status, 0) << collected.error;
  EXPECT_NE(collected.out.find("7 blocks"), std::string::npos) << collected.out;
  const Outcome stats = run({"stats", pid_, "--json"});
  EXPECT_EQ(stats.status, 0) << stats.error;
  EXPECT_NE(stats.out.find("\"collections\": 1"), std::string::npos) << stats.out;
  finish();
}

TEST_F(Waiting, ObjectsAreListed) {
  start("collect");
  const Outcome objects = run({"objects", pid_, "--top", "2", "--json"});
  EXPECT_EQ(objects.status, 0) << objects.error;
  size_t listed = 0;
  for (size_t at = 0; (at = objects.out.find("\"address\"", at)) != std::string::npos; ++at)
    ++listed;
  EXPECT_EQ(listed, 2u) << objects.out;
  EXPECT_NE(run({"objects", pid_}).out.find("The largest:"), std::string::npos);
  finish();
}

TEST_F(Waiting, ASnapshotIsWholeAndReported) {
  start("hunt");
  Files files;
  const std::string file = files.path("lost");
  const Outcome taken = run({"snapshot", pid_, "-o", file});
  ASSERT_EQ(taken.status, 0) << taken.error;
  const Snapshot snapshot = read_snapshot(file);
  EXPECT_EQ(std::to_string(snapshot.header.pid), pid_);
  char host[256] = "";
  ASSERT_EQ(gethostname(host, sizeof host), 0);
  EXPECT_EQ(snapshot.host, host);
  EXPECT_EQ("heaprake " + snapshot.version + "\n", run({"--version"}).out);
  ASSERT_EQ(snapshot.command.size(), 4u);
  EXPECT_EQ(snapshot.command[0], LEAKER);
  const Outcome report = run({"report", file});
  EXPECT_EQ(report.status, 0);
  EXPECT_NE(report.out.find("lost 3 times: 6 blocks, 240 bytes"), std::string::npos) << report.out;
  EXPECT_NE(run({"report", pid_}).out.find("lost 3 times: 6 blocks"), std::string::npos);
  EXPECT_EQ(run({"snapshot", pid_, "-o", file}).status, 2);
  finish();
}

bool exists_within(const std::string& directory, const std::string& name) {
  const auto there = [&] {
    std::error_code error;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error))
      if (entry.path().filename() == name) return true;
    return false;
  };
  for (int i = 0; i < 3000 && !there(); ++i) usleep(10'000);
  return there();
}

TEST_F(Waiting, AReportThatASignalEndsLeavesNothing) {
  start("hunt");
  for (int signal : {SIGHUP, SIGINT, SIGTERM}) {
    Files files;
    Running report({"report", pid_, "--growth=1h"}, {{"TMPDIR", files.path("")}});
    ASSERT_TRUE(exists_within(files.path(""), "before"));
    kill(report.pid(), signal);
    EXPECT_EQ(report.wait().status, 128 + signal);
    EXPECT_TRUE(std::filesystem::is_empty(files.path(""))) << signal;
  }
  finish();
}

// Once a program has had threads, libc has a handler for our signal; it says nothing to us, and a
// wait would end with EINTR.
TEST_F(Waiting, ModeOffIsLeftAlone) {
  for (const char* threads : {"one", "joined"}) {
    start("off", threads);
    expect_refusals("mode=off");
    finish();
  }
}

// It is quiet, and libc's handler may be there as well.
TEST_F(Waiting, WhatInheritedAFilterIsLeftAlone) {
  for (const char* threads : {"one", "joined"}) {
    if (!start_shut_in({"inherited", LEAKER, "stay", "4", threads}))
      GTEST_SKIP() << "no seccomp filters here";
    expect_refusals("seccomp filter");
    finish();
  }
}

// Our handler is there, but its return or its answer would be the program's end.
TEST_F(Waiting, WhatHasAFilterAgainstUsIsLeftAlone) {
  const std::vector<std::vector<std::string>> ways = {{"own", "4"}, {"own", "4", "socket"}};
  for (const auto& words : ways) {
    if (!start_shut_in(words)) GTEST_SKIP() << "no seccomp filters here";
    expect_refusals("seccomp filter");
    finish();
  }
}

// The files of /proc/PID are empty then.
TEST_F(Waiting, AnswersWhenItsMainThreadHasEnded) {
  start("hunt", "left");
  const Outcome list = run({"ps"});
  EXPECT_NE(list.out.find(pid_), std::string::npos) << list.out;
  EXPECT_NE(list.out.find(LEAKER), std::string::npos) << list.out;
  for (const char* command : {"stats", "collect", "objects"}) {
    const Outcome outcome = run({command, pid_});
    EXPECT_EQ(outcome.status, 0) << command << outcome.error;
  }
  const Outcome report = run({"report", pid_});
  EXPECT_NE(report.out.find("lost 3 times: 6 blocks, 240 bytes"), std::string::npos)
      << report.out << report.error;
  EXPECT_NE(report.out.find("leaker.cpp"), std::string::npos) << report.out;
  EXPECT_EQ(run({"why", pid_, "0x10"}).error.find("does not run"), std::string::npos);
  finish();
}

// Holds every thread but the first, as a debugger does. All calls of ptrace are one thread's.
class Held {
 public:
  explicit Held(pid_t pid) {
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
      const pid_t thread = std::stoi(entry.path().filename().string());
      if (thread != pid) hold(thread);
    }
  }
  ~Held() {
    for (const pid_t thread : threads_) ptrace(PTRACE_DETACH, thread, 0, 0);
  }
  bool any() const { return !threads_.empty(); }

 private:
  void hold(pid_t thread) {
    if (ptrace(PTRACE_SEIZE, thread, 0, 0) != 0) return;
    ptrace(PTRACE_INTERRUPT, thread, 0, 0);
    waitpid(thread, nullptr, __WALL);
    threads_.push_back(thread);
  }
  std::vector<pid_t> threads_;
};

TEST_F(Waiting, IsAskedAgainWhenAThreadCouldNotBeStopped) {
  start("collect", "busy", {"--verbose=1"});
  std::optional<Held> held(std::in_place, running_->pid());
  if (!held->any()) GTEST_SKIP() << "nothing may be traced here";
  const Outcome refused = run({"collect", pid_});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.error.find("could not stop all of its threads"), std::string::npos)
      << refused.error;
  const std::string told = running_->error_so_far();
  const size_t first = told.find("given up");
  EXPECT_NE(told.find("given up", first + 1), std::string::npos) << told;
  held.reset();
  EXPECT_EQ(run({"collect", pid_}).status, 0);
  finish();
}

class Checked : public ::testing::Test {
 protected:
  void start(const std::vector<std::string>& options) {
    std::vector<std::string> words = {"hunt", "--json", json_};
    words.insert(words.end(), options.begin(), options.end());
    for (const char* word : {"--", LEAKER, "stay"}) words.emplace_back(word);
    running_.emplace(words);
    ASSERT_EQ(running_->read_line(), "ready");
  }
  // The program's id, which the first check tells.
  pid_t program() const {
    const std::string text = running_->error_so_far();
    const std::string_view before = "start of process ";
    return std::stoi(text.substr(text.find(before) + before.size()));
  }
  nlohmann::json report() const { return nlohmann::json::parse(read_file(json_)); }

  Files files_;
  const std::string json_ = files_.path("json");
  std::optional<Running> running_;
};

TEST_F(Checked, EverySoLong) {
  start({"--every=50ms"});
  ASSERT_TRUE(running_->says("heaprake: check 2, "));
  const Outcome outcome = running_->wait();
  EXPECT_EQ(outcome.status, 23) << outcome.error;
  // In full once, and once more at the end; in between in a line.
  EXPECT_NE(outcome.error.find(" 2 told before, 0 new"), std::string::npos) << outcome.error;
  const nlohmann::json found = report();
  EXPECT_EQ(found["summary"]["leaked_blocks"], 7);
  EXPECT_EQ(found["complete"], true);
  ASSERT_GE(found["checks"].size(), 2u);
  EXPECT_EQ(found["checks"][0]["leaked_blocks"], 7);
  EXPECT_EQ(found["checks"][0]["structures"], 4);
}

TEST_F(Checked, OnASignal) {
  start({"--on-signal=USR2"});
  kill(running_->pid(), SIGUSR2);
  ASSERT_TRUE(running_->says("heaprake: check 1, "));
  EXPECT_EQ(running_->wait().status, 23);
  EXPECT_EQ(report()["checks"].size(), 1u);
}

TEST_F(Checked, TheLastCheckStandsInForAProgramThatIsKilled) {
  start({"--start-after=50ms"});
  ASSERT_TRUE(running_->says("heaprake: check 1, "));
  kill(program(), SIGKILL);
  const Outcome outcome = running_->wait();
  EXPECT_EQ(outcome.status, 128 + SIGKILL);
  EXPECT_EQ(report()["complete"], false);
  EXPECT_NE(report()["incomplete_because"].dump().find("the report of its last check"),
            std::string::npos)
      << outcome.error;
  EXPECT_EQ(report()["summary"]["leaked_blocks"], 7);
}

}  // namespace
}  // namespace heaprake::cli::test
