#include "heaprake/snapshot.h"

#include <sys/mman.h>
#include <unistd.h>

#include <vector>

#include "tests/collector/heap_fixture.h"

namespace heaprake::test {
namespace {

__attribute__((noinline)) void lose_a_cycle() {
  auto** one = static_cast<void**>(heap::allocate_zeroed(1, 40));
  auto** two = static_cast<void**>(heap::allocate_zeroed(1, 24));
  one[4] = two;
  two[1] = one;
}

class SnapshotTest : public HeapTest {};

TEST_F(SnapshotTest, HoldsTheUnreachableGraph) {
  collect_now();
  configure({.mode = collector::Mode::kHunt});
  lose_a_cycle();
  clear_stack();
  int fd = memfd_create("snapshot", 0);
  struct Arg {
    int fd;
    bool ok;
  } arg{fd, false};
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void* p) {
        auto* a = static_cast<Arg*>(p);
        collector::Outcome outcome;
        a->ok =
            collector::write_snapshot(a->fd, platform::thread_of_call(*context), &outcome, [] {});
      },
      &arg);
  ASSERT_TRUE(arg.ok);
  heaprake_snapshot_header header;
  ASSERT_EQ(pread(fd, &header, sizeof header, 0), static_cast<ssize_t>(sizeof header));
  EXPECT_EQ(header.magic, HEAPRAKE_SNAPSHOT_MAGIC);
  ASSERT_EQ(header.blocks, 2u);
  ASSERT_EQ(header.edges, 2u);
  heaprake_snapshot_block blocks[2];
  heaprake_snapshot_edge edges[2];
  pread(fd, blocks, sizeof blocks, sizeof header);
  pread(fd, edges, sizeof edges, sizeof header + sizeof blocks);
  size_t larger = blocks[0].requested == 40 ? 0 : 1;
  EXPECT_EQ(blocks[larger].requested, 40u);
  EXPECT_EQ(blocks[1 - larger].requested, 24u);
  for (const heaprake_snapshot_edge& edge : edges) {
    EXPECT_EQ(edge.to, 1 - edge.from);
    EXPECT_EQ(edge.offset, edge.from == larger ? 32u : 8u);
  }
  close(fd);
  memset(blocks, 0, sizeof blocks);
  configure({});
  collect_now();
}

}  // namespace
}  // namespace heaprake::test
