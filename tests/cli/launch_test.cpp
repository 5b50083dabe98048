#include "cli/launch.h"

#include <gtest/gtest.h>

#include "cli/failure.h"
#include "cli/library_path.h"
#include "temporary_files.h"

namespace heaprake::cli {
namespace {

TEST(PreloadList, OursComesFirstAndOthersStay) {
  EXPECT_EQ(preload_list("/l/libheaprake.so", nullptr), "/l/libheaprake.so");
  EXPECT_EQ(preload_list("/l/libheaprake.so", "/a.so b.so:c.so"),
            "/l/libheaprake.so:/a.so:b.so:c.so");
}

TEST(PreloadList, ThereIsOneCopyOfOurs) {
  EXPECT_EQ(preload_list("/l/libheaprake.so", "/x/libheaprake.so.1:/a.so:/l/libheaprake.so"),
            "/l/libheaprake.so:/a.so");
}

class LibraryPath : public ::testing::Test {
 protected:
  void make(const std::string& name) {
    const std::filesystem::path path = files_.path(name);
    std::filesystem::create_directories(path.parent_path());
    files_.write(name, "x");
  }
  std::string find(const std::string& directory, const char* override_path = nullptr) {
    std::filesystem::create_directories(files_.path(directory));
    return library_path_from(files_.path(directory), override_path);
  }
  test::Files files_;
};

TEST_F(LibraryPath, ABuiltCommandTakesTheOneBesideIt) {
  make("build/libheaprake.so");
  make("lib/libheaprake.so.1");
  EXPECT_EQ(find("build"), files_.path("build/libheaprake.so"));
}

TEST_F(LibraryPath, AnInstalledCommandFindsItsLibrary) {
  for (const std::string place : {"lib", "lib/x86_64-linux-gnu", "lib64"}) {
    const std::string prefix = "prefix" + std::to_string(place.size());
    std::string library = prefix;
    library.append("/").append(place).append("/libheaprake.so.1");
    make(library);
    make(prefix + "/bin/libheaprake.so");  // comes last
    EXPECT_EQ(find(prefix + "/bin"), files_.path(library));
  }
}

TEST_F(LibraryPath, OneBesideAnInstalledCommandComesLast) {
  make("bin/libheaprake.so");
  EXPECT_EQ(find("bin"), files_.path("bin/libheaprake.so"));
}

TEST_F(LibraryPath, TheVariableWinsAndMustBeRight) {
  make("bin/libheaprake.so");
  make("other/libheaprake.so");
  EXPECT_EQ(find("bin", files_.path("other/libheaprake.so").c_str()),
            files_.path("other/libheaprake.so"));
  EXPECT_THROW(find("bin", files_.path("absent.so").c_str()), Failure);
  EXPECT_THROW(find("bin", files_.path("other").c_str()), Failure);
}

TEST_F(LibraryPath, WhatTheLoaderWouldSplitIsRefused) {
  for (const char* name : {"a b", "a:b", "a$b"}) {
    make(std::string(name) + "/libheaprake.so");
    EXPECT_THROW(find(name), Failure) << name;
  }
}

TEST_F(LibraryPath, NoneIsAFailure) {
  EXPECT_THROW(find("bin"), Failure);
}

}  // namespace
}  // namespace heaprake::cli
