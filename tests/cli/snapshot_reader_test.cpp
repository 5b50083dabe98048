#include "cli/snapshot/reader.h"

#include <gtest/gtest.h>

#include <random>

#include "cli/failure.h"
#include "snapshot_builder.h"
#include "temporary_files.h"

namespace heaprake::cli {
namespace {

template <class Column>
std::vector<uint64_t> all_of(const Column& column) {
  std::vector<uint64_t> all;
  for (size_t i = 0; i < column.size(); ++i) all.push_back(column[i]);
  return all;
}

// One of everything.
test::SnapshotBuilder example() {
  test::SnapshotBuilder builder;
  builder.header.flags = HEAPRAKE_SNAPSHOT_ALL | HEAPRAKE_SNAPSHOT_WITH_STACKS;
  for (uint64_t size : {40, 40, 100}) builder.block(size);
  builder.edge(0, 1, 8).edge(0, 2, 16, 40).edge(1, 0, 0);
  builder.modules.push_back({0x5000, 0x5000, 0x9000, HEAPRAKE_MODULE_LOADED, "\x01\x02", "/a.so"});
  builder.blocks[0].stack = builder.stack({{0, 0x123}, {-1, 0x7fffffff1234}});
  builder.blocks[1].thread = builder.thread({17, HEAPRAKE_THREAD_ALIVE, "worker"});
  builder.blocks[2].flags = HEAPRAKE_BLOCK_TYPED | HEAPRAKE_BLOCK_REACHABLE;
  builder.blocks[2].type = builder.string("Kind");
  builder.blocks[1].words = {0x6010, 77};
  builder.blocks[1].time_ms = 1234;
  builder.root(GC_REFERENCE_GLOBAL, 2, 0, 0x8000, 3);
  builder.root(GC_REFERENCE_STACK, 2, 1, 0x7ffc00000000);
  builder.command = {"prog", "arg", ""};
  builder.host = "web-3";
  builder.version = "0.1.0";
  builder.incomplete = {"a mapping could not be read"};
  builder.suppressions = "leak:foo\n";
  return builder;
}

class SnapshotReader : public ::testing::Test {
 protected:
  // "" if the file is read.
  std::string verdict(const std::string& bytes) {
    try {
      read_snapshot(files_.write("snapshot", bytes));
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.status, kExitFailure);
      EXPECT_EQ(failure.message.find('\n'), std::string::npos);
      return failure.message;
    }
    return "";
  }
  void expect_damaged(const std::string& bytes, const std::string& words) {
    const std::string message = verdict(bytes);
    EXPECT_NE(message.find("is damaged"), std::string::npos) << message << " for " << words;
    EXPECT_NE(message.find(words), std::string::npos) << message;
  }
  // The example with a change, its totals put right again.
  template <class Change>
  void expect_damaged_by(Change change, const std::string& words) {
    test::SnapshotBuilder bad = example();
    change(bad);
    expect_damaged(bad.bytes(), words);
  }

  test::Files files_;
};

TEST_F(SnapshotReader, AWholeOneIsReadAsItIs) {
  const Snapshot snapshot = example().snapshot();
  EXPECT_EQ(snapshot.header.pid, 4711u);
  EXPECT_EQ(snapshot.address, (std::vector<uint64_t>{0x10000, 0x10030, 0x10060}));
  EXPECT_EQ(all_of(snapshot.requested), (std::vector<uint64_t>{40, 40, 100}));
  EXPECT_EQ(all_of(snapshot.size), (std::vector<uint64_t>{48, 48, 112}));
  ASSERT_EQ(snapshot.edges_of(0).size(), 2u);
  EXPECT_EQ(snapshot.edges_of(0)[1].to, 2u);
  EXPECT_EQ(snapshot.edges_of(0)[1].offset, 16u);
  EXPECT_EQ(snapshot.edges_of(0)[1].inner, 40u);
  EXPECT_EQ(snapshot.edges_of(1)[0].to, 0u);
  EXPECT_TRUE(snapshot.edges_of(2).empty());
  ASSERT_EQ(snapshot.words_of(1).size(), 2u);
  EXPECT_EQ(snapshot.words_of(1)[1], 77u);
  ASSERT_EQ(snapshot.stack_of(1).size(), 2u);
  EXPECT_EQ(snapshot.stack_of(1)[0].module, 0);
  EXPECT_EQ(snapshot.stack_of(1)[0].offset, 0x123u);
  EXPECT_EQ(snapshot.stack_of(1)[1].module, -1);
  EXPECT_TRUE(snapshot.stack_of(0).empty());
  EXPECT_EQ(snapshot.modules[0].path, "/a.so");
  EXPECT_EQ(snapshot.modules[0].build_id, "\x01\x02");
  EXPECT_EQ(snapshot.threads[snapshot.thread[1]].name, "worker");
  EXPECT_EQ(snapshot.time_ms[1], 1234u);
  EXPECT_EQ(snapshot.strings[snapshot.type[2]], "Kind");
  ASSERT_EQ(snapshot.roots.size(), 2u);
  EXPECT_EQ(snapshot.roots[0].where, 0u);
  EXPECT_EQ(snapshot.roots[0].inner, 3u);
  EXPECT_EQ(snapshot.roots[1].where, 1u);
  EXPECT_EQ(snapshot.command, (std::vector<std::string>{"prog", "arg", ""}));
  EXPECT_EQ(snapshot.host, "web-3");
  EXPECT_EQ(snapshot.version, "0.1.0");
  EXPECT_EQ(snapshot.incomplete_because.size(), 1u);
  EXPECT_EQ(snapshot.suppressions, "leak:foo\n");
}

TEST_F(SnapshotReader, ChunksMayBeCutAnywhereBetweenRecords) {
  test::SnapshotBuilder builder = example();
  for (int i = 0; i < 100; ++i) builder.edge(builder.block(40), 0, 8);
  const Snapshot whole = builder.snapshot();
  for (size_t bytes : {1, 30, 100}) {
    builder.chunk_bytes = bytes;
    const Snapshot cut = builder.snapshot();
    EXPECT_EQ(cut.address, whole.address);
    EXPECT_EQ(cut.edges.size(), whole.edges.size());
    EXPECT_EQ(cut.edges.back().to, 0u);
    EXPECT_EQ(cut.frames.size(), whole.frames.size());
  }
}

TEST_F(SnapshotReader, ManyReferencesOfABlockTakeSeveralRecords) {
  test::SnapshotBuilder builder;
  for (int i = 0; i < 3; ++i) builder.block(1000);
  for (uint64_t i = 0; i < 120; ++i) builder.edge(i / 60, (i * 7) % 3, i % 60 * 8, i);
  builder.fill_words(0);
  const Snapshot whole = builder.snapshot();
  for (size_t edges : {1, 7, 59, 60}) {
    builder.edges_per_record = edges;
    const Snapshot cut = builder.snapshot();
    EXPECT_EQ(all_of(cut.edge_first), all_of(whole.edge_first));
    EXPECT_EQ(cut.words, whole.words);
    ASSERT_EQ(cut.edges.size(), whole.edges.size());
    for (size_t i = 0; i < cut.edges.size(); ++i) {
      EXPECT_EQ(cut.edges[i].offset, whole.edges[i].offset);
      EXPECT_EQ(cut.edges[i].to, whole.edges[i].to);
    }
  }
  builder.edges_per_record = 30;
  // One word may be two references.
  builder.blocks[0].edges[30].offset = builder.blocks[0].edges[29].offset;
  EXPECT_EQ(verdict(builder.bytes()), "");
  builder.blocks[0].edges[30].offset -= 8;
  expect_damaged(builder.raw(), "out of order");
}

TEST_F(SnapshotReader, BlocksAreFoundByAnyAddress) {
  std::mt19937 random(3);
  test::SnapshotBuilder builder;
  uint64_t place = builder.header.heap_base;
  for (int i = 0; i < 2000; ++i) {
    const uint64_t index = builder.block(random() % 300);
    builder.blocks[index].address = place += 16 * (random() % 50 == 0 ? random() % 10000 : 0);
    place += builder.blocks[index].size + 16 * (random() % 3);
  }
  const Snapshot snapshot = builder.snapshot();
  uint32_t block = 0;
  for (uint64_t at = builder.header.heap_base - 100; at < place + 100; at += 7) {
    while (block < snapshot.blocks() && at >= snapshot.address[block] + snapshot.size[block])
      ++block;
    const bool inside = block < snapshot.blocks() && at >= snapshot.address[block];
    ASSERT_EQ(snapshot.block_at(at), inside ? block : UINT32_MAX) << at;
  }
  EXPECT_EQ(snapshot.block_at(0), UINT32_MAX);
  EXPECT_EQ(snapshot.block_at(UINT64_MAX), UINT32_MAX);
}

TEST_F(SnapshotReader, AnEmptyOneIsReadToo) {
  EXPECT_EQ(verdict(test::SnapshotBuilder().bytes()), "");
  EXPECT_EQ(test::SnapshotBuilder().snapshot().block_at(0x10000), UINT32_MAX);
}

TEST_F(SnapshotReader, TruncatedAtEveryLengthItIsDamaged) {
  const std::string whole = example().bytes();
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(verdict(whole.substr(0, length)), "") << length;
  expect_damaged(whole + "x", "");
  expect_damaged(whole + whole.substr(whole.size() - 64), "something follows its end");
}

TEST_F(SnapshotReader, OtherFilesAndFormatsAreNamed) {
  test::SnapshotBuilder bad;
  bad.header.magic ^= 1 << 4;
  EXPECT_NE(verdict(bad.bytes()).find("is not a heaprake snapshot"), std::string::npos);
  bad = {};
  bad.header.version = 3;
  EXPECT_NE(verdict(bad.bytes()).find("has format 3"), std::string::npos);
  EXPECT_NE(verdict("HARESNP1\1\0\0\0" + std::string(100, '\0')).find("has format 1"),
            std::string::npos);
  EXPECT_NE(verdict(std::string(1000, 'x')).find("is not a heaprake snapshot"), std::string::npos);
  EXPECT_NE(verdict("").find("is not a heaprake snapshot: it is empty"), std::string::npos);
}

TEST_F(SnapshotReader, TotalsMustBeThoseOfTheRecords) {
  const auto with = [this](auto change, const char* words) {
    test::SnapshotBuilder bad = example();
    bad.settle();
    change(bad.end);
    expect_damaged(bad.raw(), words);
  };
  for (uint64_t count : {UINT64_MAX, uint64_t{1} << 40, uint64_t{4}})
    with([&](heaprake_snapshot_end& end) { end.blocks = count; }, "block");
  with([](heaprake_snapshot_end& end) { end.blocks = 50; }, "more records than it has room");
  with([](heaprake_snapshot_end& end) { end.blocks = 2; }, "more blocks than its end says");
  with([](heaprake_snapshot_end& end) { end.edges = 4; }, "not as many references");
  with([](heaprake_snapshot_end& end) { end.edges = UINT64_MAX; }, "more records");
  with([](heaprake_snapshot_end& end) { end.roots = 3; }, "fewer roots");
  with([](heaprake_snapshot_end& end) { end.roots = 1; }, "more roots");
  with([](heaprake_snapshot_end& end) { end.unreachable_bytes = 1; }, "totals");
  with([](heaprake_snapshot_end& end) { end.unreachable_blocks = 3; }, "totals");
}

TEST_F(SnapshotReader, ReferencesMustNameBlocks) {
  using Builder = test::SnapshotBuilder;
  expect_damaged_by([](Builder& b) { b.blocks[1].edges[0].to = 9; }, "does not exist");
  expect_damaged_by([](Builder& b) { b.blocks[1].edges[0].to = 1u << 30; }, "does not exist");
  // In the middle of a block.
  expect_damaged_by([](Builder& b) { b.blocks[1].edges[0].to = 4; }, "does not exist");
  expect_damaged_by([](Builder& b) { b.blocks[0].edges[0].offset = 48; }, "outside its block");
  expect_damaged_by([](Builder& b) { b.blocks[0].edges[0].offset = UINT64_MAX; }, "outside");
  expect_damaged_by([](Builder& b) { b.blocks[0].edges[0].inner = 48; }, "leads outside");
  expect_damaged_by([](Builder& b) { b.roots[0].to = 77; }, "does not exist");
  expect_damaged_by([](Builder& b) { b.roots[0].inner = 112; }, "leads outside");
  expect_damaged_by([](Builder& b) { b.roots[0].where = 2; }, "no module");
  expect_damaged_by([](Builder& b) { b.roots[1].where = 2; }, "no thread");
  expect_damaged_by([](Builder& b) { b.roots[0].name = 2; }, "no string");
  expect_damaged_by([](Builder& b) { b.roots[0].kind = GC_REFERENCE_BLOCK; }, "unknown kind");
  expect_damaged_by([](Builder& b) { b.roots[0].kind = 99; }, "unknown kind");
}

TEST_F(SnapshotReader, NumbersMustNameWhatIsThere) {
  using Builder = test::SnapshotBuilder;
  expect_damaged_by([](Builder& b) { b.blocks[0].stack = 2; }, "no stack");
  expect_damaged_by([](Builder& b) { b.blocks[0].stack = UINT32_MAX; }, "no stack");
  expect_damaged_by([](Builder& b) { b.blocks[0].thread = 2; }, "no thread");
  expect_damaged_by([](Builder& b) { b.blocks[0].thread = 1 << 20; }, "no thread");
  expect_damaged_by([](Builder& b) { b.blocks[2].type = 2; }, "no string");
  expect_damaged_by([](Builder& b) { b.stacks[0][0].module = 1; }, "no module");
  expect_damaged_by([](Builder& b) { b.modules[0].hi = 0; }, "ends before it begins");
}

TEST_F(SnapshotReader, BlocksMustBeInOrderAndApart) {
  using Builder = test::SnapshotBuilder;
  expect_damaged_by([](Builder& b) { b.blocks[0].size += 16; }, "overlap");
  expect_damaged_by([](Builder& b) { b.blocks[2].address = b.blocks[1].address; }, "overlap");
  expect_damaged_by([](Builder& b) { std::swap(b.blocks[0].address, b.blocks[1].address); },
                    "lies where none can be");
  expect_damaged_by([](Builder& b) { b.blocks[2].size = uint64_t{1} << 52; }, "impossible size");
  expect_damaged_by([](Builder& b) { b.blocks[2].size = 0; }, "impossible size");
  expect_damaged_by([](Builder& b) { b.blocks[0].requested = 49; }, "impossible size");
  expect_damaged_by([](Builder& b) { b.header.heap_base = 8; }, "heap lies");
  expect_damaged_by([](Builder& b) { b.header.heap_base = ~uint64_t{15}; }, "heap lies");
  expect_damaged_by([](Builder& b) { b.blocks[0].words.assign(7, 0); }, "more words");
}

TEST_F(SnapshotReader, ChunksMustBeKnownAndShort) {
  test::SnapshotBuilder builder = example();
  builder.settle();
  const std::string whole = builder.raw();
  const std::string header = whole.substr(0, sizeof builder.header);
  const std::string rest = whole.substr(sizeof builder.header);
  std::string chunk;
  test::SnapshotBuilder::add_chunk(&chunk, 77, "x");
  expect_damaged(header + chunk + rest, "unknown kind");
  chunk.clear();
  test::SnapshotBuilder::add_chunk(&chunk, HEAPRAKE_SNAPSHOT_SUPPRESSIONS,
                                   std::string(HEAPRAKE_SNAPSHOT_MAX_CHUNK + 1, 'x'));
  expect_damaged(header + chunk + rest, "too long");
  chunk.clear();
  test::SnapshotBuilder::add_chunk(&chunk, HEAPRAKE_SNAPSHOT_COMMAND,
                                   "\x05"
                                   "abc");
  expect_damaged(header + chunk + rest, "over the end of its chunk");
  // By one byte: the length itself takes room.
  chunk.clear();
  test::SnapshotBuilder::add_chunk(&chunk, HEAPRAKE_SNAPSHOT_COMMAND,
                                   "\x04"
                                   "abc");
  expect_damaged(header + chunk + rest, "over the end of its chunk");
  chunk.clear();
  test::SnapshotBuilder::add_chunk(&chunk, HEAPRAKE_SNAPSHOT_COMMAND, std::string(11, '\xff'));
  expect_damaged(header + chunk + rest, "too large");
}

// Whatever comes out, every index in it must be in range.
void walk(const Snapshot& snapshot) {
  uint64_t sum = 0;
  for (uint32_t block = 0; block < snapshot.blocks(); ++block) {
    for (const BlockEdge& edge : snapshot.edges_of(block)) sum += snapshot.address[edge.to];
    for (uint64_t word : snapshot.words_of(block).all()) sum += word;
    for (const Pc& pc : snapshot.stack_of(snapshot.stack[block]))
      if (pc.module >= 0) sum += snapshot.modules[static_cast<size_t>(pc.module)].lo;
    sum += snapshot.threads[snapshot.thread[block]].tid;
    if (!snapshot.type.empty()) sum += snapshot.strings[snapshot.type[block]].size();
  }
  for (const RootReference& root : snapshot.roots) {
    sum += snapshot.address[root.to] + snapshot.strings[root.name].size();
    if (root.where == UINT32_MAX) continue;
    sum += root.kind == GC_REFERENCE_GLOBAL ? snapshot.modules[root.where].lo
                                            : snapshot.threads[root.where].tid;
  }
  volatile uint64_t used = sum;
  (void)used;
}

TEST_F(SnapshotReader, RandomDamageNeverCrashes) {
  std::mt19937 random(99);
  int read = 0;
  for (int round = 0; round < 3000; ++round) {
    test::SnapshotBuilder builder = example();
    if (round % 2) builder.chunk_bytes = 1 + random() % 64;
    std::string bytes = builder.bytes();
    // The first words are the header's: few changes survive there.
    for (unsigned i = 0; i <= random() % 3; ++i)
      bytes[16 + random() % (bytes.size() - 16)] = static_cast<char>(random());
    if (random() % 8 == 0) bytes.erase(16 + random() % (bytes.size() - 16), 1 + random() % 9);
    if (random() % 8 == 0) bytes.insert(16 + random() % (bytes.size() - 16), "\x81\x82", 2);
    try {
      walk(read_snapshot(files_.write("snapshot", bytes)));
      ++read;
    } catch (const Failure& failure) {
      ASSERT_EQ(failure.status, kExitFailure);
    }
  }
  EXPECT_GT(read, 100);  // else nothing was walked
}

TEST_F(SnapshotReader, WhatIsNoFileIsASentence) {
  for (const char* path : {"/nonexistent", "/dev/null", "/tmp"}) {
    try {
      read_snapshot(path);
      FAIL() << path;
    } catch (const Failure& failure) {
      EXPECT_NE(failure.message.find("cannot read the snapshot"), std::string::npos);
    }
  }
}

TEST_F(SnapshotReader, ProgressGoesUpToItsTotal) {
  uint64_t last = 0, last_total = 0;
  read_snapshot(files_.write("snapshot", example().bytes()),
                [&](std::string_view, uint64_t done, uint64_t total) {
                  EXPECT_GE(done, last);
                  EXPECT_LE(done, total);
                  last = done;
                  last_total = total;
                });
  EXPECT_GT(last * 2, last_total);
}

}  // namespace
}  // namespace heaprake::cli
