// Makes the bytes of a snapshot of version 2, whole or damaged.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "cli/snapshot/reader.h"

namespace heaprake::cli::test {

inline void put_number(std::string* to, uint64_t n) {
  for (; n >= 0x80; n >>= 7) *to += static_cast<char>(n | 0x80);
  *to += static_cast<char>(n);
}
inline void put_signed(std::string* to, int64_t n) {
  put_number(to, static_cast<uint64_t>(n) << 1 ^ static_cast<uint64_t>(n >> 63));
}
inline void put_text(std::string* to, const std::string& text) {
  put_number(to, text.size());
  *to += text;
}

struct SnapshotBuilder {
  struct Edge {
    uint64_t to, offset, inner;
  };
  struct Block {
    uint64_t address, requested, size;
    uint64_t flags = 0, stack = 0, thread = 0, time_ms = 0, type = 0;
    std::vector<uint64_t> words;
    std::vector<Edge> edges;
  };
  struct Root {
    uint64_t kind, where, address, name, to, inner;  // kind: gc_reference_kind, or a wrong one
  };

  heaprake_snapshot_header header{
      HEAPRAKE_SNAPSHOT_MAGIC, HEAPRAKE_SNAPSHOT_VERSION, 0, 4711, 8, 0, 60'000, 0x10000};
  heaprake_snapshot_end end{0, 0, 0, 5, 500, 0, 0};
  std::vector<std::string> command, incomplete, strings;
  std::vector<Module> modules;
  std::vector<Thread> threads;
  std::vector<std::vector<Pc>> stacks;
  std::vector<Block> blocks;
  std::vector<Root> roots;
  std::string suppressions, options;
  std::string host, version;
  size_t edges_per_record = HEAPRAKE_SNAPSHOT_MAX_EDGES;
  size_t chunk_bytes = HEAPRAKE_SNAPSHOT_MAX_CHUNK;  // of payload, where a record fits into them

  // Returns the block's index. Blocks lie side by side.
  uint64_t block(uint64_t requested) {
    const uint64_t address =
        blocks.empty() ? header.heap_base : blocks.back().address + blocks.back().size;
    const uint64_t size = std::max<uint64_t>(16, (requested + 15) / 16 * 16);
    Block block;
    block.address = address;
    block.requested = requested;
    block.size = size;
    blocks.push_back(block);
    return blocks.size() - 1;
  }
  SnapshotBuilder& edge(uint64_t from, uint64_t to, uint64_t offset = 0, uint64_t inner = 0) {
    blocks[from].edges.push_back({to, offset, inner});
    return *this;
  }
  // A root that is a word of module `where` (GLOBAL) or thread `where`, UINT64_MAX: of none.
  SnapshotBuilder& root(gc_reference_kind kind, uint64_t to, uint64_t where = UINT64_MAX,
                        uint64_t address = 0, uint64_t inner = 0) {
    if (kind == GC_REFERENCE_GLOBAL) ++where;
    roots.push_back({kind, where == UINT64_MAX ? 0 : where, address, 0, to, inner});
    return *this;
  }
  // These return the number by which a block names it.
  uint64_t string(const std::string& text) {
    strings.push_back(text);
    return strings.size();
  }
  uint64_t stack(std::vector<Pc> frames) {
    stacks.push_back(std::move(frames));
    return stacks.size();
  }
  uint64_t thread(Thread thread) {
    threads.push_back(std::move(thread));
    return threads.size();
  }
  // The words of a block as its edges say, all others 0.
  void fill_words(uint64_t index) {
    Block& block = blocks[index];
    block.words.assign(block.size / 8, 0);
    for (const Edge& edge : block.edges)
      block.words[edge.offset / 8] = blocks[edge.to].address + edge.inner;
  }

  // Edges into their order, and the end's totals to what is there.
  void settle() {
    end.blocks = blocks.size();
    end.roots = roots.size();
    end.edges = end.unreachable_blocks = end.unreachable_bytes = 0;
    for (Block& block : blocks) {
      std::stable_sort(block.edges.begin(), block.edges.end(),
                       [](const Edge& a, const Edge& b) { return a.offset < b.offset; });
      end.edges += block.edges.size();
      if (block.flags & HEAPRAKE_BLOCK_REACHABLE) continue;
      ++end.unreachable_blocks;
      end.unreachable_bytes += block.requested;
    }
  }
  std::string bytes() {
    settle();
    return raw();
  }
  // As it is, right or wrong.
  std::string raw() const {
    std::string all(reinterpret_cast<const char*>(&header), sizeof header);
    add_texts(&all, HEAPRAKE_SNAPSHOT_COMMAND, command);
    if (!host.empty()) add_chunk(&all, HEAPRAKE_SNAPSHOT_ORIGIN, origin());
    add_texts(&all, HEAPRAKE_SNAPSHOT_INCOMPLETE, incomplete);
    add_records(&all, HEAPRAKE_SNAPSHOT_MODULES, modules, put_module);
    add_blocks(&all);
    add_records(&all, HEAPRAKE_SNAPSHOT_THREADS, threads, put_thread);
    add_records(&all, HEAPRAKE_SNAPSHOT_STACKS, stacks, put_stack);
    add_texts(&all, HEAPRAKE_SNAPSHOT_STRINGS, strings);
    add_records(&all, HEAPRAKE_SNAPSHOT_ROOTS, roots,
                [this](std::string* to, const Root& root) { put_root(to, root); });
    if (!suppressions.empty()) add_chunk(&all, HEAPRAKE_SNAPSHOT_SUPPRESSIONS, suppressions);
    if (!options.empty()) add_chunk(&all, HEAPRAKE_SNAPSHOT_OPTIONS, options);
    add_chunk(&all, HEAPRAKE_SNAPSHOT_END,
              std::string(reinterpret_cast<const char*>(&end), sizeof end));
    return all;
  }
  // As the reader gives it.
  // (a failure is a mistake of the test)
  Snapshot snapshot() {
    const std::string content = bytes();
    const int fd = memfd_create("snapshot", MFD_CLOEXEC);
    for (size_t done = 0; done < content.size();)
      done += static_cast<size_t>(write(fd, content.data() + done, content.size() - done));
    Snapshot result = read_snapshot("/proc/self/fd/" + std::to_string(fd));
    close(fd);
    return result;
  }

  static void add_chunk(std::string* all, uint32_t kind, const std::string& payload) {
    const heaprake_snapshot_chunk head{kind, static_cast<uint32_t>(payload.size())};
    all->append(reinterpret_cast<const char*>(&head), sizeof head);
    *all += payload;
  }

 private:
  std::string origin() const {
    std::string payload;
    put_text(&payload, host);
    put_text(&payload, version);
    return payload;
  }
  template <class Record, class Put>
  void add_records(std::string* all, uint32_t kind, const std::vector<Record>& records,
                   Put put) const {
    std::string payload;
    for (const Record& record : records) {
      std::string one;
      put(&one, record);
      if (!payload.empty() && payload.size() + one.size() > chunk_bytes) {
        add_chunk(all, kind, payload);
        payload.clear();
      }
      payload += one;
    }
    if (!payload.empty()) add_chunk(all, kind, payload);
  }
  void add_texts(std::string* all, uint32_t kind, const std::vector<std::string>& texts) const {
    add_records(all, kind, texts, put_text);
  }
  void add_blocks(std::string* all) const {
    struct Part {
      const Block* block;
      size_t first;  // edge
    };
    std::vector<Part> parts;
    for (const Block& block : blocks) {
      size_t first = 0;
      do {
        parts.push_back({&block, first});
        first += edges_per_record;
      } while (first < block.edges.size());
    }
    uint64_t previous = 0;
    add_records(all, HEAPRAKE_SNAPSHOT_BLOCKS, parts, [&](std::string* to, const Part& part) {
      put_number(to, granule(part.block->address) - previous);
      previous = granule(part.block->address);
      put_block(to, *part.block, part.first);
    });
  }
  uint64_t granule(uint64_t address) const { return (address - header.heap_base) / 16; }
  uint64_t granule_of_block(uint64_t index) const {
    return granule(index < blocks.size() ? blocks[index].address : header.heap_base + index * 16);
  }
  void put_block(std::string* to, const Block& block, size_t first) const {
    put_number(to, block.size / 16);
    put_number(to, block.size - block.requested);
    put_number(to, block.flags);
    put_number(to, block.stack);
    put_number(to, block.thread);
    put_number(to, block.time_ms);
    if (block.flags & HEAPRAKE_BLOCK_TYPED) put_number(to, block.type);
    const size_t words = first == 0 ? block.words.size() : 0;
    put_number(to, words);
    to->append(reinterpret_cast<const char*>(block.words.data()), words * 8);
    const size_t last = std::min(first + edges_per_record, block.edges.size());
    put_number(to, last - first);
    uint64_t offset = 0;
    for (size_t i = first; i < last; ++i) {
      const Edge& edge = block.edges[i];
      put_number(to, edge.offset - offset);
      offset = edge.offset;
      put_signed(to, static_cast<int64_t>(granule_of_block(edge.to) - granule(block.address)));
      put_number(to, edge.inner);
    }
  }
  static void put_module(std::string* to, const Module& module) {
    put_number(to, module.load);
    put_number(to, module.lo);
    put_number(to, module.hi);
    put_number(to, module.flags);
    put_text(to, module.build_id);
    put_text(to, module.path);
  }
  static void put_thread(std::string* to, const Thread& thread) {
    put_number(to, thread.tid);
    put_number(to, thread.flags);
    put_text(to, thread.name);
  }
  static void put_stack(std::string* to, const std::vector<Pc>& frames) {
    put_number(to, frames.size());
    for (const Pc& pc : frames) {
      put_number(to, static_cast<uint64_t>(pc.module + 1));
      put_number(to, pc.offset);
    }
  }
  void put_root(std::string* to, const Root& root) const {
    put_number(to, root.kind);
    put_number(to, root.where);
    put_number(to, root.address);
    put_number(to, root.name);
    put_number(to, granule_of_block(root.to));
    put_number(to, root.inner);
  }
};

}  // namespace heaprake::cli::test
