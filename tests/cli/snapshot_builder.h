// Makes the bytes of a snapshot, whole or damaged.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include "cli/snapshot_file.h"

namespace heaprake::cli::test {

struct SnapshotBuilder {
  heaprake_snapshot_header header{HEAPRAKE_SNAPSHOT_MAGIC, 1, 4711, 0, 0, 5, 500, 1, 0};
  std::vector<heaprake_snapshot_block> blocks;
  std::vector<heaprake_snapshot_edge> edges;
  std::string command;

  // Returns the block's index.
  uint64_t block(uint64_t requested) {
    const uint64_t address = blocks.empty() ? 0x1000 : blocks.back().address + blocks.back().size;
    blocks.push_back({address, requested, (requested + 15) / 16 * 16});
    return blocks.size() - 1;
  }
  SnapshotBuilder& edge(uint64_t from, uint64_t to, uint64_t offset = 0) {
    edges.push_back({from, to, offset});
    return *this;
  }
  void sort_edges() {
    std::sort(edges.begin(), edges.end(), [](const auto& a, const auto& b) {
      return std::tie(a.from, a.offset) < std::tie(b.from, b.offset);
    });
  }
  // The counts of the header are set to what is there.
  std::string bytes() {
    header.blocks = blocks.size();
    header.edges = edges.size();
    header.command_length = static_cast<uint32_t>(command.size());
    return raw();
  }
  std::string raw() const {
    std::string all(reinterpret_cast<const char*>(&header), sizeof header);
    all.append(reinterpret_cast<const char*>(blocks.data()), blocks.size() * sizeof blocks[0]);
    all.append(reinterpret_cast<const char*>(edges.data()), edges.size() * sizeof edges[0]);
    return all + command;
  }
  // As the reader would give it.
  Snapshot snapshot() {
    bytes();
    Snapshot result;
    result.header = header;
    result.blocks = blocks;
    result.edges = edges;
    return result;
  }
};

}  // namespace heaprake::cli::test
