// Snapshots of all blocks, of a program with two allocation stacks.
#pragma once

#include "snapshot_builder.h"

namespace heaprake::cli::test {

inline SnapshotBuilder with_all(uint64_t uptime_ms = 1000) {
  SnapshotBuilder builder;
  builder.header.flags = HEAPRAKE_SNAPSHOT_ALL | HEAPRAKE_SNAPSHOT_WITH_STACKS;
  builder.header.uptime_ms = uptime_ms;
  builder.modules.push_back({0x5000, 0x5000, 0x9000, HEAPRAKE_MODULE_LOADED, "", "/nowhere/prog"});
  builder.thread({17, HEAPRAKE_THREAD_ALIVE | HEAPRAKE_THREAD_MAIN, "prog"});
  builder.stack({{0, 0x111}});
  builder.stack({{0, 0x222}});
  return builder;
}

inline uint64_t reachable(SnapshotBuilder* builder, uint64_t bytes, uint64_t stack,
                          uint64_t time_ms = 0) {
  const uint64_t block = builder->block(bytes);
  builder->blocks[block].flags = HEAPRAKE_BLOCK_REACHABLE;
  builder->blocks[block].stack = stack;
  builder->blocks[block].time_ms = time_ms;
  return block;
}

}  // namespace heaprake::cli::test
