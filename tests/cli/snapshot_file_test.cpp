#include "cli/snapshot_file.h"

#include <gtest/gtest.h>

#include <random>

#include "cli/failure.h"
#include "snapshot_builder.h"
#include "temporary_files.h"

namespace heaprake::cli {
namespace {

class SnapshotFile : public ::testing::Test {
 protected:
  SnapshotFile() {
    for (uint64_t size : {40, 40, 100}) good_.block(size);
    good_.edge(0, 1, 8).edge(0, 2, 16).edge(1, 0, 0);
    good_.command = std::string("prog\0arg\0\0", 10);
  }
  // "" if the file is read.
  std::string verdict(const std::string& bytes) {
    try {
      read_snapshot(files_.write("snapshot", bytes));
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.status, kExitFailure);
      return failure.message;
    }
    return "";
  }
  void expect_damaged(const std::string& bytes, const std::string& words) {
    const std::string message = verdict(bytes);
    EXPECT_NE(message.find("is damaged"), std::string::npos) << message;
    EXPECT_NE(message.find(words), std::string::npos) << message;
  }

  test::SnapshotBuilder good_;
  test::Files files_;
};

TEST_F(SnapshotFile, AWholeOneIsReadAsItIs) {
  const Snapshot snapshot = read_snapshot(files_.write("snapshot", good_.bytes()));
  EXPECT_EQ(snapshot.header.pid, 4711u);
  ASSERT_EQ(snapshot.blocks.size(), 3u);
  EXPECT_EQ(snapshot.blocks[2].requested, 100u);
  ASSERT_EQ(snapshot.edges.size(), 3u);
  EXPECT_EQ(snapshot.edges[1].to, 2u);
  EXPECT_EQ(snapshot.command, (std::vector<std::string>{"prog", "arg", ""}));
}

TEST_F(SnapshotFile, AnEmptyOneIsReadToo) {
  EXPECT_EQ(verdict(test::SnapshotBuilder().bytes()), "");
}

TEST_F(SnapshotFile, TruncatedAtEveryLengthItIsDamaged) {
  const std::string whole = good_.bytes();
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(verdict(whole.substr(0, length)), "") << length;
  expect_damaged(whole + "x", "its size is not what its header says");
}

TEST_F(SnapshotFile, HugeCountsAreNotBelieved) {
  good_.bytes();
  for (uint64_t count :
       {UINT64_MAX, UINT64_MAX / 24 + 1, UINT64_MAX / 48 + 2, uint64_t{1} << 40, uint64_t{4}}) {
    test::SnapshotBuilder bad = good_;
    bad.header.blocks = count;
    expect_damaged(bad.raw(), "its size");
    bad = good_;
    bad.header.edges = count;
    expect_damaged(bad.raw(), "its size");
  }
  test::SnapshotBuilder bad = good_;
  bad.header.command_length = UINT32_MAX;
  expect_damaged(bad.raw(), "its size");
}

TEST_F(SnapshotFile, OtherFilesAndFormatsAreNamed) {
  good_.header.magic ^= 1;
  EXPECT_NE(verdict(good_.bytes()).find("is not a heaprake snapshot"), std::string::npos);
  good_.header.magic ^= 1;
  good_.header.version = 2;
  EXPECT_NE(verdict(good_.bytes()).find("has format 2"), std::string::npos);
  EXPECT_NE(verdict(std::string(1000, 'x')).find("is not a heaprake snapshot"), std::string::npos);
}

TEST_F(SnapshotFile, ReferencesMustNameBlocks) {
  test::SnapshotBuilder bad = good_;
  bad.edges[2].to = 3;
  expect_damaged(bad.bytes(), "does not exist");
  bad = good_;
  bad.edges[2].from = UINT64_MAX;
  expect_damaged(bad.bytes(), "does not exist");
  bad = good_;
  bad.edges[0].offset = 48;
  expect_damaged(bad.bytes(), "outside its block");
  bad = good_;
  std::swap(bad.edges[0], bad.edges[1]);
  expect_damaged(bad.bytes(), "out of order");
  bad = good_;
  std::swap(bad.edges[1], bad.edges[2]);
  expect_damaged(bad.bytes(), "out of order");
}

TEST_F(SnapshotFile, BlocksMustBeInOrderAndApart) {
  test::SnapshotBuilder bad = good_;
  std::swap(bad.blocks[0], bad.blocks[1]);
  expect_damaged(bad.bytes(), "overlap or are out of order");
  bad = good_;
  bad.blocks[0].size += 16;
  expect_damaged(bad.bytes(), "overlap");
  bad = good_;
  bad.blocks[2].size = UINT64_MAX;
  expect_damaged(bad.bytes(), "impossible size");
  bad = good_;
  bad.blocks[0].requested = 49;
  expect_damaged(bad.bytes(), "impossible size");
}

TEST_F(SnapshotFile, RandomDamageNeverCrashes) {
  const std::string whole = good_.bytes();
  std::mt19937 random(99);
  for (int round = 0; round < 300; ++round) {
    std::string bytes = whole;
    for (unsigned i = 0; i <= random() % 8; ++i)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    verdict(bytes);
  }
}

TEST_F(SnapshotFile, WhatIsNoFileIsASentence) {
  for (const char* path : {"/nonexistent", "/dev/null", "/tmp"}) {
    try {
      read_snapshot(path);
      FAIL() << path;
    } catch (const Failure& failure) {
      EXPECT_NE(failure.message.find("cannot read the snapshot"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace heaprake::cli
