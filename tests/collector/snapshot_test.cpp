#include "heaprake/snapshot.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "tests/collector/heap_fixture.h"
#include "tests/collector/snapshot_reader.h"

namespace heaprake::test {
namespace {

// Of zeroed blocks: what a block held before would be references of its own.
__attribute__((noinline)) Hidden make(size_t bytes) {
  return Hidden(heap::allocate_zeroed(1, bytes));
}
__attribute__((noinline)) void refer(const Hidden& from, size_t index, const Hidden& to,
                                     size_t inner = 0) {
  from.get<uintptr_t>()[index] = to.address() + inner;
}

__attribute__((noinline)) int advise_page_of(const Hidden& block, int advice) {
  const uintptr_t page = (block.address() + 4095) & ~uintptr_t{4095};
  return madvise(reinterpret_cast<void*>(page), 4096, advice);
}

class SnapshotTest : public HeapTest {
 protected:
  void SetUp() override {
    HeapTest::SetUp();
    collect_now();
    configure({.mode = collector::Mode::kHunt});
  }
  void TearDown() override { collector::configure({.threshold = 0}); }

  struct Asked {
    collector::SnapshotPlan plan;
    collector::Outcome outcome;
    int begun = -1;  // what begin was told
  };
  __attribute__((noinline)) static void ask_from_here(Asked* asked) {
    platform::heaprake_with_context(
        [](const platform::CallContext* context, void* p) {
          auto* a = static_cast<Asked*>(p);
          a->outcome = collector::take_snapshot(a->plan, platform::thread_of_call(*context),
                                                [a](bool follows) { a->begun = follows; });
        },
        asked);
  }
  // Inlined, so that the frame of what follows lies where the stack has just been wiped.
  __attribute__((always_inline)) static ReadSnapshot take(bool all, bool copy = false) {
    clear_stack();
    return take_from_here(all, copy);
  }
  __attribute__((noinline)) static ReadSnapshot take_from_here(bool all, bool copy) {
    static Asked asked;
    const int fd = memfd_create("snapshot", 0);
    asked.plan = {.fd = fd, .all = all, .copy = copy, .suppressions = "leak:foo\n"};
    ask_from_here(&asked);
    EXPECT_TRUE(asked.outcome.completed);
    EXPECT_EQ(asked.begun, copy ? -1 : 1);
    if (copy) wait_for_end(fd);
    ReadSnapshot read = read_snapshot(content_of(fd));
    close(fd);
    if (!copy) {
      EXPECT_EQ(asked.outcome.blocks, read.end.unreachable_blocks);
      EXPECT_EQ(asked.outcome.bytes, read.end.unreachable_bytes);
    }
    return read;
  }
  // The copy is no child that one could wait for.
  static void wait_for_end(int fd) {
    for (off_t before = -1;;) {
      const off_t now = lseek(fd, 0, SEEK_END);
      const std::string bytes = now > 56 ? content_of(fd) : "";
      if (now == before && bytes.size() > 64) {
        heaprake_snapshot_chunk last;
        memcpy(&last, bytes.data() + bytes.size() - sizeof(heaprake_snapshot_end) - sizeof last,
               sizeof last);
        if (last.kind == HEAPRAKE_SNAPSHOT_END && last.length == sizeof(heaprake_snapshot_end))
          return;
      }
      before = now;
      usleep(1000);
    }
  }
  static const ReadRoot* root_of(const ReadSnapshot& read, const Hidden& block, uint64_t kind) {
    for (const ReadRoot& root : read.roots)
      if (root.block == block.address() && root.kind == kind) return &root;
    return nullptr;
  }
};

TEST_F(SnapshotTest, TellsTheUnreachableGraph) {
  const Hidden one = make(40), two = make(24);
  refer(one, 4, two);
  refer(two, 1, one, 8);
  const ReadSnapshot read = take(false);
  EXPECT_EQ(read.header.flags, HEAPRAKE_SNAPSHOT_WITH_STACKS);
  EXPECT_EQ(read.header.pid, static_cast<uint32_t>(getpid()));
  EXPECT_EQ(read.header.alignment, 8u);
  EXPECT_TRUE(read.reasons.empty());
  EXPECT_EQ(read.suppressions, "leak:foo\n");
  EXPECT_EQ(read.end.unreachable_blocks, 2u);
  EXPECT_EQ(read.end.unreachable_bytes, 64u);
  ASSERT_EQ(read.blocks.size(), 2u);
  const ReadBlock *a = read.block(one.address()), *b = read.block(two.address());
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->requested, 40u);
  EXPECT_EQ(b->requested, 24u);
  EXPECT_EQ(a->flags | b->flags, 0u);
  ASSERT_EQ(a->edges.size(), 1u);
  EXPECT_EQ(a->edges[0].offset, 32u);
  EXPECT_EQ(a->edges[0].to, two.address());
  EXPECT_EQ(a->edges[0].inner, 0u);
  ASSERT_EQ(b->edges.size(), 1u);
  EXPECT_EQ(b->edges[0].offset, 8u);
  EXPECT_EQ(b->edges[0].inner, 8u);
  // Content: all of it, as these are small.
  ASSERT_EQ(a->words.size(), a->size / 8);
  EXPECT_EQ(a->words[4], two.address());
}

TEST_F(SnapshotTest, TellsWhoMadeABlock) {
  make(40);
  const ReadSnapshot read = take(false);
  ASSERT_EQ(read.blocks.size(), 1u);
  const ReadBlock& block = read.blocks[0];
  ASSERT_NE(block.stack, 0u);
  const auto& frames = read.stacks.at(block.stack);
  ASSERT_GE(frames.size(), 3u);
  for (const ReadFrame& frame : frames) {
    ASSERT_NE(frame.module, 0u);
    const ReadModule& module = read.modules.at(frame.module - 1);
    EXPECT_GE(module.load + frame.offset, module.lo);
    EXPECT_LT(module.load + frame.offset, module.hi);
  }
  ASSERT_NE(block.thread, 0u);
  EXPECT_NE(read.threads.at(block.thread).find("collector_test"), std::string::npos);
  EXPECT_LE(block.time_ms, read.header.uptime_ms);
}

TEST_F(SnapshotTest, NamesTheProgramItsModulesAndThreads) {
  const ReadSnapshot read = take(false);
  ASSERT_FALSE(read.command.empty());
  EXPECT_NE(read.command[0].find("collector_test"), std::string::npos);
  ASSERT_EQ(read.threads.size(), 2u);
  size_t programs = 0, here = 0;
  const auto code = reinterpret_cast<uintptr_t>(&read_blocks);
  for (const ReadModule& module : read.modules) {
    EXPECT_LT(module.lo, module.hi);
    EXPECT_TRUE(module.flags & HEAPRAKE_MODULE_LOADED);
    if (module.flags & HEAPRAKE_MODULE_PROGRAM) programs++;
    if (module.lo <= code && code < module.hi) {
      here++;
      EXPECT_TRUE(module.flags & HEAPRAKE_MODULE_PROGRAM);
      EXPECT_NE(module.path.find("collector_test"), std::string::npos);
    }
    if (module.path.find("/libc.so.6") != std::string::npos) {
      EXPECT_FALSE(module.build_id.empty());
    }
  }
  EXPECT_EQ(programs, 1u);
  EXPECT_EQ(here, 1u);
}

uintptr_t global_word;

TEST_F(SnapshotTest, AllTellsReachableBlocksAndTheirRoots) {
  const Hidden root = make(64), child = make(16), lost = make(32), pinned = make(16);
  refer(root, 0, child);
  refer(lost, 0, child);
  global_word = root.address() + 4;
  pin(pinned);
  const ReadSnapshot read = take(true);
  unpin(pinned);
  global_word = 0;
  EXPECT_EQ(read.header.flags, HEAPRAKE_SNAPSHOT_ALL | HEAPRAKE_SNAPSHOT_WITH_STACKS);
  EXPECT_EQ(read.end.unreachable_blocks, 1u);
  EXPECT_EQ(read.end.blocks, read.end.unreachable_blocks + read.end.reachable_blocks);
  ASSERT_TRUE(read.block(root.address()) && read.block(child.address()) &&
              read.block(lost.address()));
  EXPECT_EQ(read.block(root.address())->flags, HEAPRAKE_BLOCK_REACHABLE);
  EXPECT_EQ(read.block(child.address())->flags, HEAPRAKE_BLOCK_REACHABLE);
  EXPECT_EQ(read.block(lost.address())->flags, 0u);
  // A reachable block's content is told only if it may be an object with a vtable.
  EXPECT_TRUE(read.block(root.address())->words.empty());
  ASSERT_EQ(read.block(lost.address())->edges.size(), 1u);
  const ReadRoot* global = root_of(read, root, GC_REFERENCE_GLOBAL);
  ASSERT_TRUE(global);
  EXPECT_EQ(global->address, reinterpret_cast<uintptr_t>(&global_word));
  EXPECT_EQ(global->inner, 4u);
  ASSERT_NE(global->where, 0u);
  EXPECT_TRUE(read.modules.at(global->where - 1).flags & HEAPRAKE_MODULE_PROGRAM);
  EXPECT_NE(read.strings.at(global->name).find("collector_test"), std::string::npos);
  ASSERT_TRUE(root_of(read, pinned, GC_REFERENCE_PINNED));
  EXPECT_FALSE(root_of(read, lost, GC_REFERENCE_GLOBAL));
}

TEST_F(SnapshotTest, WithoutAllReachableTargetsAreLeftOut) {
  const Hidden kept = make(32), lost = make(32);
  refer(lost, 0, kept);
  global_word = kept.address();
  const ReadSnapshot read = take(false);
  global_word = 0;
  ASSERT_EQ(read.blocks.size(), 1u);
  EXPECT_TRUE(read.blocks[0].edges.empty());
  EXPECT_TRUE(read.roots.empty());
}

TEST_F(SnapshotTest, KnowsAnObjectByItsVtable) {
  const Hidden object = make(64);
  object.get<uintptr_t>()[0] = reinterpret_cast<uintptr_t>(&read_blocks);
  global_word = object.address();
  const ReadSnapshot read = take(true);
  global_word = 0;
  const ReadBlock* block = read.block(object.address());
  ASSERT_TRUE(block);
  EXPECT_EQ(block->words.size(), 2u);
}

// More references than a record or a chunk holds.
TEST_F(SnapshotTest, ATableOfPointersGoesOverManyRecords) {
  constexpr size_t kCount = 200'000;
  const Hidden table = make(kCount * 8), target = make(16);
  for (size_t i = 0; i < kCount; i++) refer(table, i, i % 3 ? target : table, i % 3 ? 0 : i);
  const ReadSnapshot read = take(false);
  ASSERT_EQ(read.blocks.size(), 2u);
  const ReadBlock* block = read.block(table.address());
  ASSERT_TRUE(block);
  ASSERT_EQ(block->edges.size(), kCount);
  for (size_t i = 0; i < kCount; i++) {
    ASSERT_EQ(block->edges[i].offset, i * 8);
    ASSERT_EQ(block->edges[i].to, i % 3 ? target.address() : table.address());
    ASSERT_EQ(block->edges[i].inner, i % 3 ? 0 : i);
  }
  EXPECT_GT(read.chunks, 6u);
  EXPECT_EQ(block->words.size(), 64u);
}

TEST_F(SnapshotTest, UntouchedPagesStayUntouched) {
  constexpr size_t kBytes = 64 << 20;
  const Hidden large = make(kBytes), target = make(16);
  refer(large, kBytes / 16, target);
  const ReadSnapshot read = take(false);
  const ReadBlock* block = read.block(large.address());
  ASSERT_TRUE(block);
  ASSERT_EQ(block->edges.size(), 1u);
  EXPECT_EQ(block->edges[0].offset, kBytes / 2);
  unsigned char resident[kBytes / 4096];
  const uintptr_t page = (large.address() + 4095) & ~uintptr_t{4095};
  ASSERT_EQ(mincore(reinterpret_cast<void*>(page), kBytes - 4096, resident), 0);
  EXPECT_LT(std::count_if(resident, resident + kBytes / 4096 - 1, [](auto r) { return r & 1; }),
            16);
}

TEST_F(SnapshotTest, ManyBlocksMatchWhatWasMade) {
  constexpr size_t kCount = 50'000;
  static Hidden blocks[kCount];
  for (size_t i = 0; i < kCount; i++) blocks[i] = make(8 + i % 200);
  for (size_t i = 0; i < kCount; i++) refer(blocks[i], 0, blocks[(i * 7919 + 1) % kCount]);
  const ReadSnapshot read = take(false);
  ASSERT_EQ(read.blocks.size(), kCount);
  std::map<uint64_t, const ReadBlock*> by_address;
  uint64_t last = 0;
  for (const ReadBlock& block : read.blocks) {
    EXPECT_LT(last, block.address);
    last = block.address;
    by_address[block.address] = &block;
  }
  for (size_t i = 0; i < kCount; i++) {
    const ReadBlock* block = by_address[blocks[i].address()];
    ASSERT_TRUE(block);
    EXPECT_EQ(block->requested, 8 + i % 200);
    ASSERT_EQ(block->edges.size(), 1u);
    EXPECT_EQ(block->edges[0].to, blocks[(i * 7919 + 1) % kCount].address());
  }
}

TEST_F(SnapshotTest, ACopyTellsTheSame) {
  const Hidden kept = make(48), lost = make(96), in_shared = make(16), hidden_page = make(80);
  // Away from the modules: what lies right behind one is told as a part of it.
  auto map = [place = uintptr_t{0x2000'0000'0000}](int flags) mutable {
    place += 1 << 20;
    return static_cast<uintptr_t*>(mmap(reinterpret_cast<void*>(place), 4096,
                                        PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0));
  };
  uintptr_t* shared = map(MAP_SHARED);
  uintptr_t* not_forked = map(MAP_PRIVATE);
  uintptr_t* wiped = map(MAP_PRIVATE);
  ASSERT_EQ(madvise(not_forked, 4096, MADV_DONTFORK), 0);
  ASSERT_EQ(madvise(wiped, 4096, MADV_WIPEONFORK), 0);
  const Hidden in_wiped = make(112);
  shared[3] = in_shared.address();
  not_forked[5] = hidden_page.address();
  wiped[7] = in_wiped.address();
  global_word = kept.address();
  const ReadSnapshot read = take(true, true);
  global_word = 0;
  EXPECT_EQ(read.header.pid, static_cast<uint32_t>(getpid()));
  EXPECT_EQ(read.end.unreachable_blocks, 1u);
  ASSERT_TRUE(read.block(lost.address()));
  EXPECT_EQ(read.block(lost.address())->flags, 0u);
  EXPECT_TRUE(root_of(read, kept, GC_REFERENCE_GLOBAL));
  for (auto [block, word] : {std::pair(&in_shared, &shared[3]),
                             {&hidden_page, &not_forked[5]},
                             {&in_wiped, &wiped[7]}}) {
    const ReadRoot* root = root_of(read, *block, GC_REFERENCE_MAPPING);
    ASSERT_TRUE(root);
    EXPECT_EQ(root->address, reinterpret_cast<uintptr_t>(word));
  }
  // The program hears nothing of it.
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  for (uintptr_t* page : {shared, not_forked, wiped}) munmap(page, 4096);
}

// A heap page that no copy would have: the program itself stands still instead.
TEST_F(SnapshotTest, WithoutACopyTheProgramItselfWrites) {
  const Hidden lost = make(1 << 20);
  ASSERT_EQ(advise_page_of(lost, MADV_DONTFORK), 0);
  static Asked asked;
  const int fd = memfd_create("snapshot", 0);
  asked.plan = {.fd = fd, .copy = true};
  clear_stack();
  ask_from_here(&asked);
  advise_page_of(lost, MADV_DOFORK);
  EXPECT_EQ(asked.begun, 1);
  EXPECT_EQ(asked.outcome.blocks, 1u);
  EXPECT_EQ(read_snapshot(content_of(fd)).blocks.size(), 1u);
  close(fd);
}

TEST_F(SnapshotTest, CountsWithoutAnOutput) {
  make(96);
  static Asked asked;
  asked.plan = {};
  clear_stack();
  ask_from_here(&asked);
  EXPECT_TRUE(asked.outcome.completed);
  EXPECT_EQ(asked.outcome.blocks, 1u);
  EXPECT_EQ(asked.outcome.bytes, 96u);
}

}  // namespace
}  // namespace heaprake::test
