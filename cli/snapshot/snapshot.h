// A snapshot in memory (heaprake/snapshot.h is its form in a file): columns, one entry per block,
// so that seventeen million blocks fit into two GiB.
//
// Read once, then only looked at, from any thread. What comes from a file is not believed: every
// index, address and count has been checked, and is in range for whoever uses it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/snapshot/columns.h"
#include "heaprake/gc.h"
#include "heaprake/snapshot.h"

namespace heaprake::cli {

struct Module {
  uint64_t load = 0;  // add it to an address in the file
  uint64_t lo = 0, hi = 0;
  uint32_t flags = 0;    // HEAPRAKE_MODULE_*
  std::string build_id;  // raw bytes, "" if it has none
  std::string path;
};

struct Thread {
  uint32_t tid = 0;
  uint32_t flags = 0;  // HEAPRAKE_THREAD_*
  std::string name;
};

// A return address; the call is the byte before it.
struct Pc {
  int32_t module = -1;  // -1: in no known module
  uint64_t offset = 0;  // from the module's load address, or the address
};

struct BlockEdge {
  uint32_t to;      // block
  uint32_t offset;  // of the word in the block that holds it, in bytes; UINT32_MAX: that or more
  uint32_t inner;   // what the word adds to the start of the block it refers to; likewise
};

struct RootReference {
  uint32_t to;  // block
  gc_reference_kind kind;
  uint32_t where;    // GLOBAL: module; STACK, REGISTER, TLS: thread number; UINT32_MAX: unknown
  uint32_t name;     // string number of a mapping's name, 0: none
  uint64_t address;  // of the word
  uint64_t inner;
};

struct Snapshot {
  heaprake_snapshot_header header{};
  heaprake_snapshot_end totals{};
  std::vector<std::string> command;             // argv, empty if unknown
  std::vector<std::string> incomplete_because;  // empty: complete
  std::string host;                             // where it was taken, "" if unknown
  std::string version;                          // of the library that took it, "" if unknown
  std::vector<Module> modules;
  std::vector<Thread> threads;       // [0] is the unknown one
  std::vector<std::string> strings;  // [0] is ""
  std::string suppressions;          // the program's, in LeakSanitizer's formats
  std::string options;

  // Stack s is frames[stack_first[s] ... stack_first[s + 1]), innermost first; stack 0 is empty.
  std::vector<uint64_t> stack_first;
  std::vector<Pc> frames;

  // Blocks, in address order; they do not overlap.
  std::vector<uint64_t> address;
  Sizes requested;             // bytes asked for
  Sizes size;                  // bytes scanned
  std::vector<uint8_t> flags;  // HEAPRAKE_BLOCK_*
  std::vector<uint32_t> stack;
  std::vector<uint16_t> thread;
  std::vector<uint32_t> time_ms;
  std::vector<uint32_t> type;  // string number; empty if no block has one
  // The edges of block b are edges[edge_first[b] ... edge_first[b + 1]), in order of offset.
  Rows edge_first;
  std::vector<BlockEdge> edges;
  // The entry of block b's known words, from its start, is words[word_first[b] ... word_first[b +
  // 1]), as PackedWords has it.
  Rows word_first;
  std::vector<uint8_t> words;

  std::vector<RootReference> roots;  // in no order; empty unless header.flags has ALL

  // For block_at: bucket i has the blocks that start in [address[0] + (i << bucket_shift), and so
  // many bytes more), which are bucket_first[i] ... bucket_first[i + 1].
  std::vector<uint32_t> bucket_first;
  unsigned bucket_shift = 0;

  uint32_t blocks() const { return static_cast<uint32_t>(address.size()); }
  bool reachable(uint32_t block) const { return flags[block] & HEAPRAKE_BLOCK_REACHABLE; }
  std::span<const BlockEdge> edges_of(uint32_t block) const {
    return {edges.data() + edge_first[block], edges.data() + edge_first[block + 1]};
  }
  PackedWords words_of(uint32_t block) const {
    return {words.data() + word_first[block], words.data() + word_first[block + 1]};
  }
  std::span<const Pc> stack_of(uint32_t id) const {
    return {frames.data() + stack_first[id], frames.data() + stack_first[id + 1]};
  }
  // The block that contains the address, UINT32_MAX if there is none.
  uint32_t block_at(uint64_t address) const;
  // Once `address` and `size` are as they shall be.
  void index_blocks();
};

// Functions that have returned left the word where it is.
bool is_in_dead_frame(const Snapshot& snapshot, const RootReference& root);

}  // namespace heaprake::cli
