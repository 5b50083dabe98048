// Writes seeds for fuzz_snapshot: snapshot_seeds LOST ALL
#include <fstream>

#include "../cli/snapshot_builder.h"

namespace {

using heaprake::cli::Module;
using heaprake::cli::test::SnapshotBuilder;

SnapshotBuilder with_tables() {
  SnapshotBuilder builder;
  builder.command = {"prog", "argument"};
  builder.incomplete = {"something could not be seen"};
  builder.suppressions = "leak:known\n";
  builder.options = "exitcode=7";
  builder.modules = {{0x5000, 0x5000, 0x9000, 3, std::string(20, '\1'), "/nowhere/prog"},
                     {0x10000, 0x10000, 0x20000, 1, "", "/nowhere/libfoo.so"}};
  builder.thread({4711, 3, "prog"});
  builder.thread({4712, 1, "worker"});
  builder.stack({{0, 0x111}, {1, 0x222}, {-1, 0x333}});
  builder.stack({{0, 0x112}});
  builder.header.flags = HEAPRAKE_SNAPSHOT_WITH_STACKS;
  return builder;
}

// A cycle of two, a list, a block alone, one of a named type; words as they would be.
SnapshotBuilder lost() {
  SnapshotBuilder builder = with_tables();
  for (uint64_t bytes : {40, 56, 24, 24, 24, 100, 20}) {
    const uint64_t block = builder.block(bytes);
    builder.blocks[block].stack = 1 + block % 2;
    builder.blocks[block].thread = 1 + block % 2;
    builder.blocks[block].time_ms = 10 * block;
  }
  builder.edge(0, 1, 8).edge(1, 0, 16, 8).edge(2, 3).edge(3, 4).edge(0, 2, 24);
  for (uint64_t block = 0; block < builder.blocks.size(); ++block) builder.fill_words(block);
  builder.blocks[6].flags |= HEAPRAKE_BLOCK_TYPED;
  builder.blocks[6].type = builder.string("Kind");
  return builder;
}

// The same, some of it reachable, by roots of each kind.
SnapshotBuilder all() {
  SnapshotBuilder builder = lost();
  builder.header.flags |= HEAPRAKE_SNAPSHOT_ALL;
  for (uint64_t block : {2, 3, 4, 5}) builder.blocks[block].flags |= HEAPRAKE_BLOCK_REACHABLE;
  builder.blocks[0].edges.pop_back();
  builder.root(GC_REFERENCE_GLOBAL, 2, 0, 0x6000).root(GC_REFERENCE_STACK, 3, 1, 0x7ffc0000, 8);
  builder.root(GC_REFERENCE_REGISTER, 5, 2, 16, 50).root(GC_REFERENCE_TLS, 4, 1, 0x7ffd0000, 16);
  builder.root(GC_REFERENCE_MAPPING, 5, UINT64_MAX, 0x100000, 99);
  builder.roots[1].name = builder.string(HEAPRAKE_SNAPSHOT_DEAD_FRAME);
  return builder;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) return 2;
  std::ofstream(words[1], std::ios::binary) << lost().bytes();
  std::ofstream(words[2], std::ios::binary) << all().bytes();
}
