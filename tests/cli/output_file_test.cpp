#include "cli/output_file.h"

#include <gtest/gtest.h>

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
