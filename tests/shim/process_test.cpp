// The life of a process under the library: its first and last moments, fork, dlclose, and what is
// printed at its end.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "child.h"

namespace heaprake::test {
namespace {

// Collections as often as the allocator lets them start.
constexpr const char* kBusy = "threshold=64k:growth=0";

std::string victim(const char* name) {
  return std::string(VICTIM_PREFIX) + name;
}

struct Figures {
  unsigned long collections = 0, blocks = 0, bytes = 0;
  bool found = false;
};

// The summary's first line, wherever it stands.
Figures first_line(const std::string& text) {
  Figures f;
  f.found = std::sscanf(text.c_str(), "heaprake: %lu collections, %lu blocks (%lu bytes) reclaimed",
                        &f.collections, &f.blocks, &f.bytes) == 3;
  return f;
}

std::string file_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/heaprake-test-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string operator/(const char* name) const { return path_ + "/" + name; }
  size_t files() const {
    auto begin = std::filesystem::directory_iterator(path_);
    return std::distance(begin, std::filesystem::directory_iterator());
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void expect_quiet(const Ended& ended, const std::string& out) {
  EXPECT_EQ(ended.signal, 0) << ended.err;
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.out, out);
  EXPECT_EQ(ended.err, "");
}

TEST(Process, BlocksOfAFirstConstructorLive) {
  expect_quiet(run_preloaded({victim("early_user")}, kBusy), "kept since the constructor\n");
}

TEST(Process, ALibraryPreloadedBeforeOursMayAllocateFirst) {
  Ended ended = run_preloaded({victim("early_user")}, kBusy, EARLY_MALLOC);
  expect_quiet(ended, "kept since the constructor\nallocated early\n");
}

TEST(Process, AResolverMayAllocateWhileTheLoaderRelocates) {
  const char* out = "allocated by the resolver\n";
  expect_quiet(run_natively({victim("bound_early")}), out);
  for (const char* options : {kBusy, "mode=off"})
    expect_quiet(run_preloaded({victim("bound_early")}, options), out);
}

TEST(Process, ExitHandlersAndDestructorsMayAllocate) {
  expect_quiet(run_preloaded({victim("atexit_malloc")}, kBusy),
               "atexit: still here\ndestructor: still here\n");
}

TEST(Process, DestructorsOfThreadSpecificDataMayAllocate) {
  expect_quiet(run_preloaded({victim("tsd_destructors")}, kBusy), "100 destroyed\n");
}

TEST(Process, ChildrenOfAThreadedProgramWork) {
  expect_quiet(run_preloaded({victim("fork_threads")}, kBusy), "8 children well\n");
}

TEST(Process, BlocksOutliveTheirPlugin) {
  expect_quiet(run_preloaded({victim("unload"), CLOSED_PLUGIN}, kBusy),
               "all blocks outlived the plug-in\n");
}

TEST(Process, OperatorNewFailsAsTheStandardSays) {
  Ended native = run_natively({victim("oom_new")});
  ASSERT_EQ(native.exit_code, 0);
  ASSERT_NE(native.out.find("new: bad_alloc, handler called 0 times"), std::string::npos);
  expect_quiet(run_preloaded({victim("oom_new")}, kBusy), native.out);
}

TEST(Process, ProtectedPagesOfBlocksAreLeftAlone) {
  expect_quiet(run_preloaded({victim("protected")}, kBusy), "intact\n");
}

TEST(Process, WithoutProcItSaysSoOnceAndGoesOn) {
  Ended ended = run_preloaded({victim("no_proc")}, kBusy);
  if (ended.out == "not root\n") GTEST_SKIP() << "only root may change its root directory";
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.out, "lost\n");
  EXPECT_EQ(ended.err.find("/proc is not mounted"), ended.err.rfind("/proc is not mounted"));
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}

TEST(Process, OffOnlyAllocates) {
  Ended ended = run_preloaded({victim("summary")}, "mode=off:threshold=64k:stats=1");
  EXPECT_EQ(ended.exit_code, 0);
  Figures f = first_line(ended.err);
  EXPECT_TRUE(f.found) << ended.err;
  EXPECT_EQ(f.collections, 0u);
  EXPECT_EQ(f.blocks, 0u);
}

// A program that asks the kernel finds no handler that it has not installed.
TEST(Off, TakesNoSignal) {
  std::vector<std::string> ask = {"/bin/grep", "SigCgt", "/proc/self/status"};
  std::string native = run_natively(ask).out;
  EXPECT_EQ(run_preloaded(ask, "mode=off").out, native);
  EXPECT_NE(run_preloaded(ask, "").out, native);
}

class Ending : public testing::TestWithParam<std::pair<const char*, int>> {};

TEST_P(Ending, PrintsTheSummaryOnce) {
  auto [how, code] = GetParam();
  Ended ended = run_preloaded({victim("summary"), how}, "threshold=256k:growth=0:stats=1");
  EXPECT_EQ(ended.exit_code, code);
  EXPECT_EQ(ended.out, "done\n");
  Figures f = first_line(ended.err);
  EXPECT_TRUE(f.found) << ended.err;
  EXPECT_GT(f.collections, 3u);
  EXPECT_GT(f.blocks, 5000u);
  EXPECT_GE(f.bytes, f.blocks * 1000);
  EXPECT_EQ(ended.err.find("collections, "), ended.err.rfind("collections, ")) << ended.err;
}

INSTANTIATE_TEST_SUITE_P(Ways, Ending,
                         testing::Values(std::pair("return", 0), std::pair("exit", 3),
                                         std::pair("_exit", 4), std::pair("_Exit", 5),
                                         std::pair("quick_exit", 6), std::pair("vfork", 0)),
                         [](const auto& info) {
                           std::string name = info.param.first;
                           return name[0] == '_' ? "raw" + name : name;
                         });

TEST(Summary, IsNotPrintedUnasked) {
  expect_quiet(run_preloaded({victim("summary")}, kBusy), "done\n");
}

TEST(Summary, GoesToAFileAndAForkedChildLeavesItAlone) {
  TemporaryDirectory directory;
  std::string path = directory / "stats";
  Ended ended = run_preloaded({victim("summary"), "fork"}, "threshold=256k:growth=0:stats=" + path);
  EXPECT_EQ(ended.err, "");
  EXPECT_GT(first_line(file_text(path)).blocks, 5000u) << file_text(path);
}

TEST(Summary, GoesToAFileOfEachProcess) {
  TemporaryDirectory directory;
  std::string options = "stats=" + (directory / "stats-%p");
  run_preloaded({victim("summary"), "fork"}, options);
  EXPECT_EQ(directory.files(), 2u);
}

TEST(Summary, SaysWhatTheTestModesFound) {
  Ended oracle = run_preloaded({victim("summary")}, "mode=oracle:threshold=256k:growth=0:stats=1");
  EXPECT_NE(oracle.err.find("\nheaprake: oracle: 0 mistakes\n"), std::string::npos) << oracle.err;
  Ended verify = run_preloaded({victim("summary")}, "verify=1:threshold=256k:growth=0:stats=1");
  EXPECT_NE(verify.err.find("\nheaprake: verify: 0 missed\n"), std::string::npos) << verify.err;
}

TEST(Hunt, SaysAtExitHowMuchIsUnreachable) {
  Ended ended = run_preloaded({victim("summary")}, "mode=hunt");
  EXPECT_EQ(ended.exit_code, 0);
  unsigned long blocks = 0;
  ASSERT_EQ(std::sscanf(ended.err.c_str(), "heaprake: hunt: %lu blocks", &blocks), 1) << ended.err;
  EXPECT_GT(blocks, 9900u);
  EXPECT_LE(blocks, 10100u);
}

TEST(Hunt, StacksOfEndedThreadsHoldNothing) {
  Ended ended = run_preloaded({victim("dead_stacks")}, "mode=hunt");
  unsigned long blocks = 0;
  ASSERT_EQ(std::sscanf(ended.err.c_str(), "heaprake: hunt: %lu blocks", &blocks), 1) << ended.err;
  EXPECT_GE(blocks, 4u * 11 * 64 + 300 - 10);
  EXPECT_LE(blocks, 4u * 11 * 64 + 300 + 10);
}

TEST(Process, ResultsOfThreadsThatNobodyJoinedLive) {
  std::string returned;
  for (int i = 0; i < 4; ++i) returned += "returned\n";
  expect_quiet(run_preloaded({victim("dead_stacks")}, kBusy), returned);
}

TEST(Hunt, WritesASnapshotAtExit) {
  TemporaryDirectory directory;
  std::string path = directory / "snapshot";
  Ended ended = run_preloaded({victim("summary")}, "mode=hunt:snapshot=" + path);
  EXPECT_EQ(ended.err, "");
  EXPECT_EQ(file_text(path).substr(0, 8), "HARESNP2");
}

TEST(Options, BadOnesAreNamedAndTheProgramRuns) {
  Ended ended = run_preloaded({victim("summary")}, "growth=lots:colour=red");
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_NE(ended.err.find("growth takes 0 to 10000"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("no option \"colour\""), std::string::npos) << ended.err;
}

TEST(Telemetry, TellsOfEveryCollection) {
  TemporaryDirectory directory;
  const std::string options = std::string(kBusy) + ":metrics=" + (directory / "m.prom") +
                              ":events=" + (directory / "e.jsonl") +
                              ":stats=" + (directory / "stats");
  Ended ended = run_preloaded({victim("dead_stacks")}, options.c_str());
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  const Figures figures = first_line(file_text(directory / "stats"));
  const std::string metrics = file_text(directory / "m.prom");
  EXPECT_NE(metrics.find("# TYPE heaprake_collections_total counter\n"
                         "heaprake_collections_total{pid=\""),
            std::string::npos);
  EXPECT_NE(metrics.find("\"} " + std::to_string(figures.collections) + "\n"), std::string::npos);
  EXPECT_NE(metrics.find("\nheaprake_pause_seconds_total{pid=\""), std::string::npos);
  EXPECT_NE(metrics.find("\n# TYPE heaprake_pause_max_seconds gauge\n"), std::string::npos);
  const std::string events = file_text(directory / "e.jsonl");
  EXPECT_EQ(std::count(events.begin(), events.end(), '\n'), long(figures.collections));
  EXPECT_TRUE(events.starts_with("{\"time_ns\": "));
  EXPECT_EQ(directory.files(), 3u);
}

TEST(Telemetry, IsOpenMetricsUnlessTheNameIsNodeExporters) {
  TemporaryDirectory directory;
  const std::string options = std::string(kBusy) + ":metrics=" + (directory / "metrics");
  Ended ended = run_preloaded({victim("dead_stacks")}, options.c_str());
  EXPECT_EQ(ended.err, "");
  const std::string metrics = file_text(directory / "metrics");
  EXPECT_NE(metrics.find("# TYPE heaprake_collections counter\nheaprake_collections_total{pid=\""),
            std::string::npos);
  EXPECT_TRUE(metrics.ends_with("# EOF\n"));
}

size_t count_of(const std::string& part, const std::string& text) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.length()) ++count;
  return count;
}

TEST(Telemetry, PipesThatNobodyReadsAreToldOfOnce) {
  TemporaryDirectory directory;
  const std::string metrics = directory / "m", events = directory / "e";
  ASSERT_EQ(mkfifo(metrics.c_str(), 0600), 0);
  ASSERT_EQ(mkfifo(events.c_str(), 0600), 0);
  const std::string options = std::string(kBusy) + ":metrics=" + metrics + ":events=" + events;
  Ended ended = run_preloaded({victim("dead_stacks")}, options.c_str());
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(count_of("heaprake: cannot write " + metrics + ".\n", ended.err), 1u) << ended.err;
  EXPECT_EQ(count_of("heaprake: cannot write " + events + ".\n", ended.err), 1u) << ended.err;
  EXPECT_TRUE(std::filesystem::is_fifo(metrics));
  EXPECT_EQ(directory.files(), 2u);
}

TEST(Telemetry, LinksAreFollowed) {
  TemporaryDirectory directory;
  std::ofstream(directory / "target") << "old";
  std::filesystem::create_symlink("target", directory / "link");
  std::filesystem::create_symlink("made", directory / "dangling");
  for (const char* name : {"link", "dangling"}) {
    const std::string options = std::string(kBusy) + ":metrics=" + (directory / name);
    Ended ended = run_preloaded({victim("dead_stacks")}, options.c_str());
    EXPECT_EQ(ended.exit_code, 0);
    EXPECT_EQ(ended.err, "");
    EXPECT_TRUE(std::filesystem::is_symlink(directory / name));
  }
  EXPECT_TRUE(file_text(directory / "target").ends_with("# EOF\n"));
  EXPECT_TRUE(file_text(directory / "made").ends_with("# EOF\n"));
}

// As by /dev/stdout: another process's file, perhaps, which is neither replaced nor cut short.
TEST(Telemetry, AnOpenDescriptorsFileIsAddedTo) {
  for (const char* option : {":metrics=", ":stats="}) {
    TemporaryDirectory directory;
    const std::string file = directory / "out", link = directory / "stdout";
    std::filesystem::create_symlink("/proc/self/fd/1", link);
    const std::string command = "printf kept > " + file + "; exec " + victim("dead_stacks");
    Ended ended =
        run_preloaded({"/bin/sh", "-c", command + " >> " + file}, kBusy + (option + link));
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    const std::string text = file_text(file);
    EXPECT_TRUE(text.starts_with("kept")) << text;
    EXPECT_NE(text.find("collections"), std::string::npos) << text;
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(directory.files(), 2u);
  }
}

// node_exporter reads the link, whatever it leads to.
TEST(Telemetry, TheFormatIsThatOfALinksName) {
  TemporaryDirectory directory;
  std::ofstream(directory / "target") << "old";
  std::filesystem::create_symlink(directory / "target", directory / "m.prom");
  const std::string options = kBusy + std::string(":metrics=") + (directory / "m.prom");
  Ended ended = run_preloaded({victim("dead_stacks")}, options);
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  const std::string text = file_text(directory / "target");
  EXPECT_NE(text.find("# TYPE heaprake_collections_total counter\n"), std::string::npos) << text;
}

TEST(Telemetry, AVersionThatDoesNotFitLeavesTheOldOne) {
  TemporaryDirectory directory;
  const std::string file = directory / "m";
  std::ofstream(file) << "old";
  const std::string options = kBusy + std::string(":metrics=") + file;
  Ended ended =
      run_preloaded({"/bin/sh", "-c", "ulimit -f 1; exec " + victim("dead_stacks")}, options);
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.err, "heaprake: cannot write " + file + ".\n");
  EXPECT_EQ(file_text(file), "old");
  EXPECT_EQ(directory.files(), 1u);
}

// A full disk, which takes a part of a line, as a limit on the size of files does.
TEST(Telemetry, AnEventThatDoesNotFitLeavesNoHalfLine) {
  TemporaryDirectory directory;
  const std::string file = directory / "e";
  const std::string options = kBusy + std::string(":events=") + file;
  Ended full =
      run_preloaded({"/bin/sh", "-c", "ulimit -f 1; exec " + victim("dead_stacks")}, options);
  EXPECT_EQ(full.exit_code, 0);
  EXPECT_EQ(full.err, "heaprake: cannot write " + file + ".\n");
  const std::string before = file_text(file);
  EXPECT_FALSE(before.empty());
  Ended room = run_preloaded({victim("dead_stacks")}, options);
  EXPECT_EQ(room.err, "");
  const std::string text = file_text(file);
  EXPECT_GT(text.size(), before.size());
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_TRUE(line.starts_with("{\"time_ns\": ")) << line;
    EXPECT_TRUE(line.ends_with("}")) << line;
    EXPECT_EQ(count_of("time_ns", line), 1u) << line;
  }
}

TEST(Telemetry, AFullDeviceIsToldOfOnce) {
  for (const char* option : {":metrics=", ":events=", ":stats="}) {
    Ended ended = run_preloaded({victim("dead_stacks")}, kBusy + std::string(option) + "/dev/full");
    EXPECT_EQ(ended.exit_code, 0);
    EXPECT_EQ(ended.err, "heaprake: cannot write /dev/full.\n") << option;
  }
}

TEST(Telemetry, ManyProcessesMayReplaceOneFile) {
  TemporaryDirectory directory;
  const std::string options = kBusy + std::string(":metrics=") + (directory / "m");
  const std::string many = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do " +
                           victim("dead_stacks") + " > /dev/null & done; wait";
  Ended ended = run_preloaded({"/bin/sh", "-c", many}, options);
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.err, "");
  EXPECT_TRUE(file_text(directory / "m").ends_with("# EOF\n"));
  EXPECT_EQ(directory.files(), 1u);
}

TEST(Telemetry, AVersionThatAnotherProcessIsWritingIsLeftAlone) {
  TemporaryDirectory directory;
  const std::string file = directory / "m", fresh = directory / "m.new";
  const int other = open(fresh.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(write(other, "half", 4), 4);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  ASSERT_EQ(fcntl(other, F_OFD_SETLK, &whole), 0);
  const std::string options = kBusy + std::string(":metrics=") + file;
  EXPECT_EQ(run_preloaded({victim("dead_stacks")}, options).err, "");
  EXPECT_TRUE(file_text(file).ends_with("# EOF\n"));
  EXPECT_EQ(file_text(fresh), "half");
  EXPECT_EQ(directory.files(), 2u);
  // Killed: what it has left becomes the next version.
  close(other);
  EXPECT_EQ(run_preloaded({victim("dead_stacks")}, options).err, "");
  EXPECT_TRUE(file_text(file).ends_with("# EOF\n"));
  EXPECT_EQ(directory.files(), 1u);
}

TEST(Telemetry, PermissionsOfTheOldVersionAreKept) {
  TemporaryDirectory directory;
  const std::string file = directory / "m";
  const std::string options = kBusy + std::string(":metrics=") + file;
  const auto mode = [&] { return std::filesystem::status(file).permissions(); };
  for (unsigned wanted : {0600u, 0644u, 0640u}) {
    std::ofstream(file) << "old";
    ASSERT_EQ(chmod(file.c_str(), wanted), 0);
    EXPECT_EQ(run_preloaded({victim("dead_stacks")}, options).err, "");
    EXPECT_TRUE(file_text(file).ends_with("# EOF\n"));
    EXPECT_EQ(mode(), std::filesystem::perms(wanted));
  }
}

TEST(Telemetry, DevicesStayDevices) {
  TemporaryDirectory directory;
  const std::string null = directory / "null";
  if (mknod(null.c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0) GTEST_SKIP() << "needs root";
  const std::string options = std::string(kBusy) + ":metrics=" + null;
  EXPECT_EQ(run_preloaded({victim("dead_stacks")}, options.c_str()).exit_code, 0);
  EXPECT_TRUE(std::filesystem::is_character_file(null));
  EXPECT_EQ(directory.files(), 1u);
}

TEST(Idle, FreedMemoryGoesBackBeforeTheProgramWaits) {
  expect_quiet(run_preloaded({victim("idle")}), "");
}

}  // namespace
}  // namespace heaprake::test
