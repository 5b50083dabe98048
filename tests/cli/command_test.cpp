// The command as a user meets it: help, mistakes, and `run` with exit statuses, streams, variables.
#include <gtest/gtest.h>
#include <signal.h>

#include "cli/process.h"
#include "run_command.h"
#include "snapshot_builder.h"
#include "temporary_files.h"

namespace heaprake::cli::test {
namespace {

const Variables kFake = {{"HEAPRAKE_LIBRARY", FAKE_LIBRARY}};

Outcome run_fake(const std::vector<std::string>& words, Variables more = {}) {
  more.insert(kFake.begin(), kFake.end());
  return run(words, more);
}

TEST(Command, EverySubcommandHasAHelpThatFits) {
  for (const char* name :
       {"run", "hunt", "ps", "collect", "stats", "objects", "snapshot", "report", "why", "diff"}) {
    const Outcome outcome = run({name, "--help"});
    EXPECT_EQ(outcome.status, 0) << name;
    EXPECT_NE(outcome.out.find("Examples:"), std::string::npos) << name;
    EXPECT_NE(outcome.out.find("Exit status:"), std::string::npos) << name;
    EXPECT_EQ(outcome.error, "");
    size_t column = 0;
    for (char c : outcome.out) EXPECT_LE(column = c == '\n' ? 0 : column + 1, 100u) << name;
  }
  const Outcome overview = run({"--help"});
  EXPECT_EQ(overview.status, 0);
  EXPECT_NE(overview.out.find("hunt"), std::string::npos);
  EXPECT_EQ(run({}).status, 2);
  EXPECT_EQ(run({"--version"}).out.substr(0, 9), "heaprake ");
}

TEST(Command, AnUnknownSubcommandIsGuessed) {
  const Outcome outcome = run({"hutn"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.error.find("did you mean hunt?"), std::string::npos);
}

// Of `sh -c`, where $HEAPRAKE is the command.
Outcome run_in_shell(const std::string& script, Variables more = {}) {
  more["HEAPRAKE"] = HEAPRAKE_COMMAND;
  more.insert(kFake.begin(), kFake.end());
  return run({"run", "sh", "-c", script}, more);
}

TEST(Command, OutputThatCannotBeWrittenIsAFailure) {
  Files files;
  SnapshotBuilder lost;
  lost.block(40);
  lost.header.flags = HEAPRAKE_SNAPSHOT_ALL;
  const Variables snapshot = {{"FILE", files.write("snapshot", lost.bytes())}};
  for (const char* words :
       {"--help", "--version", "run --help", "hunt --help", "ps --help", "ps --json",
        "report $FILE", "report $FILE --format=lsan", "objects $FILE", "objects $FILE --json",
        "diff $FILE $FILE --json", "why $FILE 0x10000"}) {
    const Outcome full =
        run_in_shell("exec $HEAPRAKE " + std::string(words) + " > /dev/full", snapshot);
    EXPECT_EQ(full.status, 1) << words;
    EXPECT_NE(full.error.find(": cannot write to the standard output: No space left on device\n"),
              std::string::npos)
        << words << full.error;
    const Outcome gone = run_in_shell(
        "trap '' PIPE; { $HEAPRAKE " + std::string(words) + "; echo $? >&2; } | true", snapshot);
    EXPECT_EQ(gone.error, "0\n") << words;
  }
  EXPECT_EQ(run_in_shell("exec $HEAPRAKE nothing > /dev/full").status, 2);
}

TEST(Run, EveryOptionOfTheTableIsInTheHelp) {
  const std::string help = run({"run", "--help"}).out;
#define HEAPRAKE_OPTION(kind, name, value, legal, sentence) \
  EXPECT_NE(help.find("--" #name), std::string::npos) << #name;
#include "heaprake/options.def"
#undef HEAPRAKE_OPTION
}

TEST(Run, TheExitStatusIsTheProgramsOwn) {
  EXPECT_EQ(run_fake({"run", "true"}).status, 0);
  EXPECT_EQ(run_fake({"run", "--", "sh", "-c", "exit 7"}).status, 7);
  EXPECT_EQ(run_fake({"run", "sh", "-c", "kill -TERM $$"}).status, 128 + SIGTERM);
}

TEST(Run, TheProcessIsTheProgramsOwn) {
  Running running({"run", "sh", "-c", "echo $$"}, kFake);
  EXPECT_EQ(running.read_line(), std::to_string(running.pid()));
}

TEST(Run, OptionsReachTheProgramAndWinOverItsEnvironment) {
  const Outcome outcome =
      run_fake({"run", "--mode=oracle", "--verify", "sh", "-c",
                "echo \"$HEAPRAKE_OPTIONS\"; echo \"$LD_PRELOAD\"; echo $0", "--stats"},
               {{"HEAPRAKE_OPTIONS", "mode=hunt:pad=1"}, {"LD_PRELOAD", "libm.so.6"}});
  EXPECT_EQ(outcome.out, "pad=1:mode=oracle:verify=1\n" FAKE_LIBRARY ":libm.so.6\n--stats\n");
}

TEST(Run, MistakesAreNamedBeforeTheProgramStarts) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes = {
      {{"run"}, "no program"},
      {{"run", "--mode=on", "echo", "x"}, "collect, hunt, oracle or off"},
      {{"run", "--thresold=1", "echo", "x"}, "--threshold"},
      {{"run", "--growth=10001", "echo", "x"}, "0 to 10000"},
      {{"hunt", "--mode=collect", "echo", "x"}, "unknown option --mode"},
      {{"hunt", "--exit-code=256", "echo", "x"}, "from 0 to 255"},
      {{"stats"}, "name one process"},
      {{"stats", "x"}, "not a process id"},
      {{"snapshot", "1"}, "-o FILE"},
  };
  for (const auto& [words, sentence] : mistakes) {
    const Outcome outcome = run_fake(words);
    EXPECT_EQ(outcome.status, 2) << outcome.error;
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.error.find(sentence), std::string::npos) << outcome.error;
  }
}

TEST(Run, ProgramsThatCannotRunAreNamed) {
  Files files;
  const std::string plain = files.write("plain", "#!/bin/sh\n", 0644);
  EXPECT_EQ(run_fake({"run", "no-such-program"}).status, 127);
  EXPECT_EQ(run_fake({"run", plain}).status, 126);
  EXPECT_EQ(run_fake({"hunt", plain}).status, 126);
  EXPECT_EQ(run_fake({"run", files.write("bad", "#!/nonexistent\n", 0755)}).status, 127);
  const Outcome binary = run_fake({"run", files.write("data", std::string("\x01\0\x02", 3), 0755)});
  EXPECT_EQ(binary.status, 126);
  EXPECT_NE(binary.error.find("cannot run"), std::string::npos);
}

TEST(Run, ATextWithoutAnInterpreterIsTheShells) {
  Files files;
  const Outcome outcome = run_fake({"run", files.write("text", "echo $1", 0755), "hello"});
  EXPECT_EQ(outcome.out, "hello\n");
}

TEST(Run, AMissingLibraryIsNamed) {
  const Outcome outcome = run({"run", "true"}, {{"HEAPRAKE_LIBRARY", "/nonexistent.so"}});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.error.find("HEAPRAKE_LIBRARY"), std::string::npos);
}

TEST(Process, EmptyWordsAtTheEndOfACommandLineAreLeftOut) {
  Running other({"run", "sh", "-c", "echo ready; read line", "", ""}, kFake);
  ASSERT_EQ(other.read_line(), "ready");
  const std::vector<std::string> words = command_line(other.pid());
  EXPECT_EQ(words, (std::vector<std::string>{"sh", "-c", "echo ready; read line"}));
  other.wait();
}

TEST(Requests, OtherProcessesAreRefusedAndLeftAlone) {
  Running other({"run", "sh", "-c", "echo ready; read line; exit 3"}, kFake);
  ASSERT_EQ(other.read_line(), "ready");
  const std::string pid = std::to_string(other.pid());
  for (const char* name : {"stats", "collect", "objects", "report"}) {
    const Outcome outcome = run({name, pid});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_NE(outcome.error.find("does not run under heaprake"), std::string::npos);
  }
  EXPECT_EQ(other.wait().status, 3);
}

}  // namespace
}  // namespace heaprake::cli::test
