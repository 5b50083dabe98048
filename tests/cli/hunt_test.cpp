// heaprake hunt around small programs, with whatever snapshot they leave behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "run_command.h"
#include "snapshot_builder.h"
#include "temporary_files.h"

namespace heaprake::cli::test {
namespace {

class Hunt : public ::testing::Test {
 protected:
  Hunt() {
    for (int i = 0; i < 3; ++i) {
      const uint64_t a = leaky_.block(40), b = leaky_.block(40);
      leaky_.edge(a, b, 8).edge(b, a, 16);
    }
    std::filesystem::create_directory(files_.path("tmp"));
  }
  // Runs `sh -c script` under hunt; the program leaves `snapshot` behind.
  Outcome hunt(const std::string& snapshot, const std::string& script,
               std::vector<std::string> options = {}) {
    options.insert(options.begin(), "hunt");
    for (const char* word : {"--", "sh", "-c"}) options.push_back(word);
    options.push_back(script);
    return run(options, variables(snapshot));
  }
  Variables variables(const std::string& snapshot) {
    return {{"HEAPRAKE_LIBRARY", FAKE_LIBRARY},
            {"TMPDIR", files_.path("tmp")},
            {"FAKE_SNAPSHOT", files_.write("snapshot", snapshot)}};
  }

  SnapshotBuilder leaky_, clean_;
  Files files_;
};

TEST_F(Hunt, LeaksMakeTwentyThreeOfZeroOnly) {
  EXPECT_EQ(hunt(leaky_.bytes(), "exit 0").status, 23);
  EXPECT_EQ(hunt(leaky_.bytes(), "exit 7").status, 7);
  EXPECT_EQ(hunt(leaky_.bytes(), "exit 0", {"--exit-code=5"}).status, 5);
  EXPECT_EQ(hunt(leaky_.bytes(), "exit 0", {"--exit-code", "0"}).status, 0);
  EXPECT_EQ(hunt(clean_.bytes(), "exit 0").status, 0);
}

TEST_F(Hunt, TheReportGoesToStderrAndCounts) {
  const Outcome outcome = hunt(leaky_.bytes(), "echo out; exit 0");
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_NE(outcome.error.find("6 blocks (240 bytes) in 3 structures, all of them cycles"),
            std::string::npos)
      << outcome.error;
  EXPECT_NE(outcome.error.find("lost 3 times: 6 blocks, 240 bytes"), std::string::npos);
  EXPECT_NE(outcome.error.find("still reachable: 5 blocks (500 bytes)"), std::string::npos);
  EXPECT_EQ(outcome.error.find('\x1b'), std::string::npos);  // colours are for terminals
}

TEST_F(Hunt, ItsStreamsAreTheProgramsOwn) {
  Running running({"hunt", "cat"}, variables(clean_.bytes()));
  running.close_input();
  EXPECT_EQ(running.wait().status, 0);
}

TEST_F(Hunt, DamageIsOneSentenceAndNoLeak) {
  const std::string whole = leaky_.bytes();
  for (const std::string& bytes :
       {whole.substr(0, whole.size() - 1), std::string("rubbish"), std::string()}) {
    const Outcome outcome = hunt(bytes, "exit 0");
    EXPECT_EQ(outcome.status, 0);
    EXPECT_NE(outcome.error.find("incomplete: "), std::string::npos) << outcome.error;
    EXPECT_EQ(outcome.error.find("no memory"), std::string::npos) << outcome.error;
  }
}

TEST_F(Hunt, AKilledProgramIsIncomplete) {
  const std::string json = files_.path("report.json");
  const Outcome outcome = hunt(leaky_.bytes(), "kill -SEGV $$", {"--json", json});
  EXPECT_EQ(outcome.status, 128 + SIGSEGV);
  EXPECT_NE(outcome.error.find("incomplete: signal 11"), std::string::npos) << outcome.error;
  EXPECT_NE(read_file(json).find("\"complete\": false"), std::string::npos);
}

TEST_F(Hunt, OtherProcessesHaveReportsOfTheirOwn) {
  const std::string script = "sh -c 'exit 0'; kill -KILL $$";
  const std::string json = files_.path("report.json"), folded = files_.path("a.b/lost.folded");
  std::filesystem::create_directory(files_.path("a.b"));
  const Outcome outcome = hunt(leaky_.bytes(), script,
                               {"--json", json, "--folded", folded, "--save", files_.path("snap")});
  EXPECT_EQ(outcome.status, 128 + SIGKILL);
  EXPECT_NE(outcome.error.find(", started by the program"), std::string::npos) << outcome.error;
  EXPECT_NE(outcome.error.find("lost 3 times: 6 blocks, 240 bytes"), std::string::npos);
  const nlohmann::json report = nlohmann::json::parse(read_file(json));
  EXPECT_EQ(report["summary"]["leaked_blocks"], 0);  // the program's own could not be examined
  ASSERT_EQ(report["processes"].size(), 1u);
  EXPECT_EQ(report["processes"][0]["schema"], "heaprake-report/1");
  EXPECT_EQ(report["processes"][0]["summary"]["leaked_blocks"], 6);
  // Other outputs: a file each.
  const uint64_t pid = report["processes"][0]["pid"];
  EXPECT_TRUE(std::filesystem::exists(files_.path("a.b/lost." + std::to_string(pid) + ".folded")));
  EXPECT_TRUE(std::filesystem::exists(folded));
  EXPECT_EQ(read_file(files_.path("snap." + std::to_string(pid))), leaky_.bytes());
}

TEST_F(Hunt, OtherProcessesCountOnlyWhenAskedTo) {
  // The program becomes one that leaves no snapshot behind; its child does.
  const std::string script = "sh -c 'exit 0'; exec env -i /bin/true";
  EXPECT_EQ(hunt(leaky_.bytes(), script).status, 0);
  EXPECT_EQ(hunt(leaky_.bytes(), script, {"--count-children"}).status, 23);
}

TEST_F(Hunt, ReportsFitWhateverTheFigures) {
  SnapshotBuilder other;
  other.header.pid = 4194304;
  for (int i = 0; i < 1234; ++i) other.block(3154530000);
  other.command = {std::string("/usr/local/bin/") + std::string(80, 'x')};
  const Outcome outcome = hunt(other.bytes(), "sh -c 'exit 0'; kill -KILL $$");
  std::string words;  // the text without its line breaks
  size_t column = 0;
  for (char c : outcome.error.substr(0, outcome.error.find("heaprake: next"))) {
    EXPECT_LE(column = c == '\n' ? 0 : column + 1, 100u) << outcome.error;
    const bool space = c == ' ' || c == '\n';
    if (!space || (!words.empty() && words.back() != ' ')) words += space ? ' ' : c;
  }
  EXPECT_NE(words.find("has lost 1,234 blocks (3,892,690,020,000 bytes)"), std::string::npos)
      << outcome.error;
}

TEST_F(Hunt, SuppressionsBaselinesAndLimitsDecideTheStatus) {
  const std::string json = files_.path("former.json");
  EXPECT_EQ(hunt(leaky_.bytes(), "true", {"--json", json}).status, 23);
  EXPECT_EQ(hunt(leaky_.bytes(), "true", {"--baseline", json}).status, 0);
  EXPECT_EQ(hunt(leaky_.bytes(), "true", {"--max-leaks=3"}).status, 0);
  EXPECT_EQ(hunt(leaky_.bytes(), "true", {"--max-leaks=2"}).status, 23);
  EXPECT_EQ(hunt(leaky_.bytes(), "true", {"--baseline", files_.write("bad", "rubbish")}).status, 2);
  EXPECT_EQ(hunt(leaky_.bytes(), "true", {"--suppressions", files_.write("s", "oops")}).status, 2);
}

TEST_F(Hunt, FindingsThatTheJsonLeavesOutAreTold) {
  SnapshotBuilder many;
  for (uint64_t i = 1; i <= 2001; ++i) many.block(i * 8);
  const std::string json = files_.path("cut.json"), all = files_.path("all.json");
  const std::string sentence = "cut.json leaves out 1 finding, the smallest; --top=0 writes all\n";
  const Outcome cut = hunt(many.bytes(), "true", {"--json", json});
  EXPECT_NE(cut.error.find(sentence), std::string::npos) << cut.error;
  const Outcome whole = hunt(many.bytes(), "true", {"--json", all, "--top=0"});
  EXPECT_EQ(whole.error.find("leaves out"), std::string::npos);
}

TEST_F(Hunt, LooksLikeLeakSanitizerWhenAskedTo) {
  const Outcome outcome = hunt(leaky_.bytes(), "true", {"--format=lsan"});
  EXPECT_EQ(outcome.status, 23);
  EXPECT_TRUE(
      outcome.error.ends_with("SUMMARY: LeakSanitizer: 240 byte(s) leaked in 6 allocation(s).\n"))
      << outcome.error;
}

TEST_F(Hunt, KeepsTheSnapshotForOtherCommands) {
  const std::string file = files_.path("lost.snapshot"), html = files_.path("lost.html");
  const Outcome outcome = hunt(leaky_.bytes(), "true", {"--save", file, "--html", html});
  EXPECT_EQ(outcome.status, 23);
  EXPECT_EQ(read_file(file), leaky_.bytes());
  EXPECT_TRUE(read_file(html).starts_with("<!DOCTYPE html>"));
  const Outcome report = run({"report", file});
  EXPECT_EQ(report.status, 0);
  EXPECT_NE(report.out.find("6 blocks (240 bytes) in 3 structures"), std::string::npos);
  EXPECT_EQ(run({"report", file, "--html", html}).status, 2);  // exists
}

TEST_F(Hunt, BadTimesSignalsAndPathsAreRefusedBeforeTheStart) {
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
           {"--every=soon"},
           {"--every=0"},
           {"--every=30d"},
           {"--start-after=1x"},
           {"--on-signal=NONE"},
           {"--on-signal=0"},
           {"--on-signal=KILL"},
           {"--on-signal=SIGSTOP"},
           {"--on-signal=32"},
           {"--on-signal=33"},
           {"--format=xml"},
           {"--top=x"},
           {"--html", files_.path("x"), "--dot", files_.path("x")},
           {"--max-leaks=-1"}}) {
    const Outcome outcome = hunt(leaky_.bytes(), "echo ran", options);
    EXPECT_EQ(outcome.status, 2) << options[0];
    EXPECT_EQ(outcome.out, "") << options[0];
  }
}

TEST_F(Hunt, SignalsArePassedOn) {
  Running running(
      {"hunt", "sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"},
      variables(clean_.bytes()));
  ASSERT_EQ(running.read_line(), "ready");
  kill(running.pid(), SIGTERM);
  EXPECT_EQ(running.wait().status, 5);
}

TEST_F(Hunt, EverySignalReachesTheProgramWithItsValue) {
  Running running({"hunt", SIGNAL_CATCHER}, variables(clean_.bytes()));
  ASSERT_EQ(running.read_line(), "ready");
  for (int number = 1; number <= SIGRTMAX; ++number) {
    if (number == SIGKILL || number == SIGSTOP || number == 32 || number == 33) continue;
    ASSERT_EQ(kill(running.pid(), number), 0);
    ASSERT_EQ(running.read_line(), std::to_string(number) + " 0");
    if (number == SIGTERM) continue;
    ASSERT_EQ(sigqueue(running.pid(), number, {.sival_int = 1000 + number}), 0);
    ASSERT_EQ(running.read_line(), std::to_string(number) + " " + std::to_string(1000 + number));
  }
  for (int value = 1; value <= 20; ++value) sigqueue(running.pid(), SIGRTMIN, {.sival_int = value});
  for (int value = 1; value <= 20; ++value)
    EXPECT_EQ(running.read_line(), std::to_string(SIGRTMIN) + " " + std::to_string(value));
  sigqueue(running.pid(), SIGTERM, {.sival_int = 3});
  EXPECT_EQ(running.wait().status, 3);
}

// As an alarm that was set before the command was executed.
TEST_F(Hunt, ASignalOfADescriptorReachesTheProgram) {
  Running running({"hunt", SIGNAL_CATCHER}, variables(clean_.bytes()));
  ASSERT_EQ(running.read_line(), "ready");
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(fcntl(ends[0], F_SETOWN, running.pid()), 0);
  ASSERT_EQ(fcntl(ends[0], F_SETFL, O_ASYNC), 0);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  EXPECT_EQ(running.read_line(), std::to_string(SIGIO) + " 0");
  close(ends[0]);
  close(ends[1]);
  sigqueue(running.pid(), SIGTERM, {.sival_int = 4});
  EXPECT_EQ(running.wait().status, 4);
}

TEST_F(Hunt, ASignalThatKillsTheProgramLeavesTheReport) {
  for (int number : {SIGALRM, SIGXCPU, SIGPWR, SIGRTMIN + 2, SIGRTMAX}) {
    for (int group : {1, -1}) {
      Running running({"hunt", "sh", "-c", "echo ready; exec sleep 60"}, variables(clean_.bytes()));
      ASSERT_EQ(running.read_line(), "ready");
      kill(group * running.pid(), number);
      const Outcome outcome = running.wait();
      EXPECT_EQ(outcome.status, 128 + number);
      EXPECT_NE(outcome.error.find("incomplete: signal " + std::to_string(number)),
                std::string::npos)
          << outcome.error;
    }
  }
}

TEST_F(Hunt, AProgramThatIgnoresAnInterruptOutlivesIt) {
  Running running({"hunt", "sh", "-c", "trap 'echo got' INT; echo ready; read line; exit 6"},
                  variables(clean_.bytes()));
  ASSERT_EQ(running.read_line(), "ready");
  kill(running.pid(), SIGINT);
  EXPECT_EQ(running.read_line(), "got");
  running.wait();
}

TEST_F(Hunt, JobControlStopsAndContinuesBoth) {
  Running running({"hunt", "sh", "-c", "echo ready; kill -TSTP $$; echo again; exit 4"},
                  variables(clean_.bytes()));
  ASSERT_EQ(running.read_line(), "ready");
  int status = 0;
  ASSERT_EQ(waitpid(running.pid(), &status, WUNTRACED), running.pid());
  ASSERT_TRUE(WIFSTOPPED(status));
  kill(running.pid(), SIGCONT);
  EXPECT_EQ(running.read_line(), "again");
  EXPECT_EQ(running.wait().status, 4);
}

TEST_F(Hunt, FilesThatExistAreKept) {
  const std::string json = files_.write("report.json", "precious");
  const Outcome refused = hunt(leaky_.bytes(), "echo ran", {"--json", json});
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.out, "");  // the program did not even start
  EXPECT_EQ(files_.read("report.json"), "precious");
  EXPECT_EQ(hunt(leaky_.bytes(), "true", {"--json", json, "--force"}).status, 23);
  EXPECT_NE(files_.read("report.json"), "precious");
}

TEST_F(Hunt, ATextReportMayGoToAFile) {
  const Outcome outcome = hunt(leaky_.bytes(), "true", {"--report", files_.path("report")});
  EXPECT_EQ(outcome.status, 23);
  EXPECT_EQ(outcome.error, "");
  EXPECT_NE(files_.read("report").find("cycle of 2"), std::string::npos);
}

TEST_F(Hunt, NothingIsLeftBehind) {
  hunt(leaky_.bytes(), "true");
  EXPECT_TRUE(std::filesystem::is_empty(files_.path("tmp")));
}

// The second interrupt: the program has ended, and the page, longer than a pipe holds, waits for
// its reader.
TEST_F(Hunt, NothingIsLeftBehindWhenASignalEndsTheReport) {
  const std::string pipe = files_.path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (int signal : {SIGHUP, SIGINT, SIGTERM}) {
    const int reader = open(pipe.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(fcntl(reader, F_SETPIPE_SZ, 4096), 4096);
    Running running({"hunt", "--html", pipe, "true"}, variables(leaky_.bytes()));
    pollfd written = {reader, POLLIN, 0};
    ASSERT_EQ(poll(&written, 1, 30'000), 1);
    kill(running.pid(), signal);
    EXPECT_EQ(running.wait().status, 128 + signal);
    EXPECT_TRUE(std::filesystem::is_empty(files_.path("tmp"))) << signal;
    close(reader);
  }
}

// The program ends once nobody reads from stderr any more.
TEST_F(Hunt, AReaderThatGoesAwayLeavesTheFilesAndTheStatus) {
  Variables more = variables(leaky_.bytes());
  more["HEAPRAKE"] = HEAPRAKE_COMMAND;
  more["JSON"] = files_.path("json");
  const char* const script =
      "{ { $HEAPRAKE hunt --json $JSON sh -c \"exec 4>&2 2> /dev/null; trap '' PIPE; "
      "while echo x >&4; do :; done; exit 0\"; echo $? >&3; } 2>&1 > /dev/null | true; } 3>&1";
  EXPECT_EQ(run({"run", "sh", "-c", script}, more).out, "23\n");
  EXPECT_NE(files_.read("json").find("\"leaked_blocks\": 6"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(files_.path("tmp")));
}

TEST_F(Hunt, TheLastLineIsACommandThatRuns) {
  const Outcome outcome = hunt(leaky_.bytes(), "true", {"--json", files_.path("a.json")});
  const std::string text = outcome.error.substr(0, outcome.error.size() - 1);
  EXPECT_EQ(text.substr(text.rfind('\n') + 1), "  heaprake run --stats -- sh -c true");
}

}  // namespace
}  // namespace heaprake::cli::test
