// Reads a snapshot naively, record by record, as heaprake/snapshot.h has it: an independent check
// of what the collector writes.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "heaprake/snapshot.h"

namespace heaprake::test {

class Records {
 public:
  explicit Records(const std::string& bytes) : bytes_(bytes) {}
  bool more() const { return at_ < bytes_.size(); }
  uint64_t number() {
    uint64_t n = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<uint8_t>(bytes_.at(at_++));
      n |= uint64_t{byte & 127u} << shift;
      if (byte < 128) return n;
    }
  }
  int64_t signed_number() {
    const uint64_t n = number();
    return static_cast<int64_t>(n >> 1) ^ -static_cast<int64_t>(n & 1);
  }
  uint64_t word() {
    uint64_t value;
    memcpy(&value, bytes_.substr(at_, sizeof value).data(), sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string text() {
    const size_t length = number();
    at_ += length;
    return bytes_.substr(at_ - length, length);
  }

 private:
  const std::string& bytes_;
  size_t at_ = 0;
};

struct ReadEdge {
  uint64_t offset, to, inner;  // `to` is an address
};
struct ReadBlock {
  uint64_t address, size, requested, flags;
  uint64_t stack, thread, time_ms;
  std::vector<uint64_t> words;
  std::vector<ReadEdge> edges;
};
struct ReadRoot {
  uint64_t kind, where, address, name, block, inner;
};
struct ReadFrame {
  uint64_t module, offset;
};
struct ReadModule {
  uint64_t load, lo, hi, flags;
  std::string build_id, path;
};

struct ReadSnapshot {
  heaprake_snapshot_header header{};
  heaprake_snapshot_end end{};
  std::vector<std::string> command, reasons, strings{""}, threads{""};
  std::vector<ReadModule> modules;
  std::vector<std::vector<ReadFrame>> stacks{{}};
  std::vector<ReadRoot> roots;
  std::vector<ReadBlock> blocks;
  std::string suppressions;
  size_t chunks = 0;

  const ReadBlock* block(uint64_t address) const {
    for (const ReadBlock& block : blocks)
      if (block.address == address) return &block;
    return nullptr;
  }
};

inline std::string content_of(int fd) {
  std::string bytes;
  char piece[65536];
  for (ssize_t got; (got = pread(fd, piece, sizeof piece, static_cast<off_t>(bytes.size()))) > 0;)
    bytes.append(piece, static_cast<size_t>(got));
  return bytes;
}

inline void read_blocks(Records records, ReadSnapshot* to) {
  uint64_t granule = 0;
  for (bool first = true; records.more(); first = false) {
    const uint64_t distance = records.number();
    granule += distance;
    ReadBlock block{};
    block.address = to->header.heap_base + granule * 16;
    block.size = records.number() * 16;
    block.requested = block.size - records.number();
    block.flags = records.number();
    block.stack = records.number();
    block.thread = records.number();
    block.time_ms = records.number();
    if (block.flags & HEAPRAKE_BLOCK_TYPED) records.number();
    for (uint64_t count = records.number(); count; count--) block.words.push_back(records.word());
    uint64_t offset = 0;
    for (uint64_t count = records.number(); count; count--) {
      offset += records.number();
      const uint64_t target = granule + static_cast<uint64_t>(records.signed_number());
      block.edges.push_back({offset, to->header.heap_base + target * 16, records.number()});
    }
    if (first || distance) {
      to->blocks.push_back(block);
    } else {
      auto& all = to->blocks.back().edges;
      all.insert(all.end(), block.edges.begin(), block.edges.end());
    }
  }
}

// Every rule of the format that can be checked is.
inline ReadSnapshot read_snapshot(const std::string& bytes) {
  ReadSnapshot read;
  std::map<uint32_t, std::string> sections;
  size_t at = sizeof read.header;
  EXPECT_GE(bytes.size(), at);
  if (bytes.size() < at) return read;
  memcpy(&read.header, bytes.data(), at);
  EXPECT_EQ(read.header.magic, HEAPRAKE_SNAPSHOT_MAGIC);
  EXPECT_EQ(read.header.version, HEAPRAKE_SNAPSHOT_VERSION);
  for (heaprake_snapshot_chunk chunk; at < bytes.size(); at += chunk.length) {
    memcpy(&chunk, bytes.substr(at, sizeof chunk).data(), sizeof chunk);
    at += sizeof chunk;
    EXPECT_LE(chunk.length, HEAPRAKE_SNAPSHOT_MAX_CHUNK);
    EXPECT_LE(at + chunk.length, bytes.size());
    EXPECT_EQ(sections.count(HEAPRAKE_SNAPSHOT_END), 0u) << "something follows the end";
    sections[chunk.kind] += bytes.substr(at, chunk.length);
    read.chunks++;
  }
  EXPECT_EQ(sections[HEAPRAKE_SNAPSHOT_END].size(), sizeof read.end);
  memcpy(&read.end, sections[HEAPRAKE_SNAPSHOT_END].data(), sizeof read.end);
  auto texts = [&](uint32_t kind, std::vector<std::string>* to) {
    for (Records records(sections[kind]); records.more();) to->push_back(records.text());
  };
  texts(HEAPRAKE_SNAPSHOT_COMMAND, &read.command);
  texts(HEAPRAKE_SNAPSHOT_INCOMPLETE, &read.reasons);
  texts(HEAPRAKE_SNAPSHOT_STRINGS, &read.strings);
  for (Records records(sections[HEAPRAKE_SNAPSHOT_THREADS]); records.more();) {
    records.number(), records.number();
    read.threads.push_back(records.text());
  }
  for (Records records(sections[HEAPRAKE_SNAPSHOT_MODULES]); records.more();) {
    ReadModule module{
        records.number(), records.number(), records.number(), records.number(), "", ""};
    module.build_id = records.text();
    module.path = records.text();
    read.modules.push_back(module);
  }
  for (Records records(sections[HEAPRAKE_SNAPSHOT_ROOTS]); records.more();) {
    ReadRoot root{records.number(), records.number(), records.number(),
                  records.number(), records.number(), records.number()};
    root.block = read.header.heap_base + root.block * 16;
    read.roots.push_back(root);
  }
  for (Records records(sections[HEAPRAKE_SNAPSHOT_STACKS]); records.more();) {
    std::vector<ReadFrame> frames;
    for (uint64_t count = records.number(); count; count--)
      frames.push_back({records.number(), records.number()});
    read.stacks.push_back(frames);
  }
  read_blocks(Records(sections[HEAPRAKE_SNAPSHOT_BLOCKS]), &read);
  read.suppressions = sections[HEAPRAKE_SNAPSHOT_SUPPRESSIONS];
  size_t edges = 0;
  for (const ReadBlock& block : read.blocks) edges += block.edges.size();
  EXPECT_EQ(read.end.blocks, read.blocks.size());
  EXPECT_EQ(read.end.edges, edges);
  EXPECT_EQ(read.end.roots, read.roots.size());
  return read;
}

}  // namespace heaprake::test
