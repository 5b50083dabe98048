#include "cli/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/failure.h"
#include "temporary_files.h"

namespace heaprake::cli {
namespace {

int status_of(const std::string& path, bool force) {
  try {
    OutputFile(path, force);
  } catch (const Failure& failure) {
    return failure.status;
  }
  return 0;
}

TEST(OutputFile, AppearsWhenItIsWritten) {
  test::Files files;
  const OutputFile file(files.path("out"), false);
  EXPECT_FALSE(std::filesystem::exists(files.path("out")));
  file.write("content");
  EXPECT_EQ(files.read("out"), "content");
}

TEST(OutputFile, NothingIsLeftOfOneThatASignalEnds) {
  for (int number : {SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGUSR1, SIGXFSZ, SIGRTMIN + 3}) {
    test::Files files;
    const pid_t child = fork();
    if (child == 0) {
      signal(number, SIG_DFL);
      OutputFile(files.path("out"), false).write_by([&](int fd) {
        if (write(fd, "half", 4) == 4) kill(getpid(), number);
      });
      _exit(99);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << number;
    EXPECT_EQ(WTERMSIG(status), number);
    EXPECT_TRUE(std::filesystem::is_empty(files.path(""))) << number;
  }
}

TEST(OutputFile, ASignalThatIsIgnoredDoesNotEndIt) {
  test::Files files;
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGHUP, SIG_IGN);
    OutputFile(files.path("out"), false).write_by([&](int fd) {
      kill(getpid(), SIGHUP);
      if (write(fd, "whole", 5) != 5) _exit(98);
    });
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(files.read("out"), "whole");
}

TEST(OutputFile, ExistingFilesAreKeptUnlessForced) {
  test::Files files;
  files.write("out", "old");
  EXPECT_EQ(status_of(files.path("out"), false), kExitUsage);
  EXPECT_EQ(files.read("out"), "old");
  OutputFile(files.path("out"), true).write("new");
  EXPECT_EQ(files.read("out"), "new");
}

TEST(OutputFile, LinksAreFollowed) {
  test::Files files;
  files.write("target", "old");
  std::filesystem::create_symlink("target", files.path("link"));
  OutputFile(files.path("link"), true).write("new");
  EXPECT_EQ(files.read("target"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(files.path("link")));
}

TEST(OutputFile, ALinkToNothingMakesWhatItNames) {
  test::Files files;
  std::filesystem::create_symlink("second", files.path("link"));
  std::filesystem::create_symlink("made", files.path("second"));
  OutputFile(files.path("link"), false).write("content");
  EXPECT_EQ(files.read("made"), "content");
  EXPECT_TRUE(std::filesystem::is_symlink(files.path("link")));
  EXPECT_TRUE(std::filesystem::is_symlink(files.path("second")));
  std::filesystem::create_symlink("/nonexistent/made", files.path("nowhere"));
  EXPECT_EQ(status_of(files.path("nowhere"), false), kExitFailure);
  std::filesystem::create_symlink("loop", files.path("loop"));
  EXPECT_EQ(status_of(files.path("loop"), false), kExitFailure);
}

TEST(OutputFile, PipesAreWrittenIfSomebodyReads) {
  test::Files files;
  ASSERT_EQ(mkfifo(files.path("pipe").c_str(), 0600), 0);
  const OutputFile file(files.path("pipe"), false);
  EXPECT_THROW(file.write("content"), Failure);
  const int reader = open(files.path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  file.write("content");
  char text[8] = {};
  EXPECT_EQ(read(reader, text, 7), 7);
  EXPECT_STREQ(text, "content");
  close(reader);
}

TEST(OutputFile, AnOpenDescriptorsFileIsAddedTo) {
  test::Files files;
  const int fd = open(files.write("out", "old").c_str(), O_WRONLY | O_CLOEXEC);
  OutputFile("/proc/self/fd/" + std::to_string(fd), false).write("new");
  EXPECT_EQ(files.read("out"), "oldnew");
  close(fd);
}

TEST(OutputFile, TheStandardOutputIsTheProgramsOwn) {
  EXPECT_EQ(status_of("-", false), kExitUsage);
  EXPECT_EQ(status_of("-", true), kExitUsage);
}

TEST(OutputFile, DevicesAreWrittenDirectly) {
  OutputFile("/dev/null", false).write("content");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(OutputFile, ImpossiblePathsFailBeforeAnythingRuns) {
  test::Files files;
  EXPECT_EQ(status_of("/nonexistent/out", false), kExitFailure);
  EXPECT_EQ(status_of(files.path("."), true), kExitFailure);
  EXPECT_EQ(status_of("", true), kExitUsage);
}

}  // namespace
}  // namespace heaprake::cli
