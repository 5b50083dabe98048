// The sections ROOTS and BLOCKS of a snapshot: who refers to which block.
//
// Both look at memory as it is: the world is stopped, or this is a copy of the process. Blocks are
// gathered in batches, so that the map lines that their references need are fetched before they are
// looked at.
#pragma once

#include "collector/dead_frames.h"
#include "collector/mark_bits.h"
#include "collector/modules.h"
#include "collector/resolve.h"
#include "collector/roots.h"
#include "collector/snapshot_entry.h"
#include "collector/snapshot_stream.h"
#include "collector/snapshot_tables.h"
#include "collector/word_rule.h"

namespace heaprake::collector {

// What both sections need to know.
struct SnapshotView {
  const platform::AddressSpace& space;
  const RootSet& roots;
  const MarkBits& marks;  // a block without its bit is unreachable
  const Modules& modules;
  WordRule rule;  // which words count
  bool all;       // reachable blocks too
  const DeadFrames& dead_frames;

  bool reachable(size_t granule) const { return !marks.covers(granule) || marks.test(granule); }
};

class BlockSection {
 public:
  BlockSection(const SnapshotView& view, SnapshotStream& stream, StringNumbers& strings,
               UsedStacks& used_stacks)
      : view_(view), stream_(stream), strings_(strings), used_stacks_(used_stacks) {}
  ~BlockSection();
  BlockSection(const BlockSection&) = delete;
  BlockSection& operator=(const BlockSection&) = delete;

  // Every block, in address order; counts in `totals`. false: out of memory.
  bool write(heaprake_snapshot_end* totals);

 private:
  static constexpr size_t kMostEdges = HEAPRAKE_SNAPSHOT_MAX_EDGES;
  static constexpr size_t kMostWords = 64;
  static constexpr size_t kBatch = 64;
  static constexpr size_t kCopyBytes = 64 * 1024;

  struct Candidate {
    uint64_t offset;  // of the word, in the block
    uintptr_t word;
    size_t target;  // granule of the block that it leads to, once that is known
  };
  struct Pending {
    heap::Block block;
    size_t granule;
    bool reachable;
    bool further;  // a record of more references of the block before
    size_t first_candidate;
  };
  struct Buffers {
    Candidate candidates[kMostEdges];
    char copy[kCopyBytes];  // of memory that may fault
  };

  void add(const heap::Block& block, size_t granule, bool reachable);
  void open(const heap::Block& block, size_t granule, bool reachable, bool further);
  void scan(const heap::Block& block);
  // The words of [lo, hi), which are shown at `content`.
  void scan(const heap::Block& block, platform::Range range, const char* content);
  void add_candidate(uint64_t offset, uintptr_t word);
  void send();
  void send(const Pending& pending, size_t end_candidate);
  void send_entry(const Pending& pending, Section& section);
  size_t telling_words(const Pending& pending) const;
  void send_words(const Pending& pending, Section& section) const;
  void send_edges(const Pending& pending, size_t count, Section& section);
  bool is_protected(const heap::Block& block) const {
    return view_.roots.protected_blocks().contains(block.address);
  }
  // Keeps the candidates of [first, end) that lead to a block of this section; how many.
  size_t resolve(size_t first, size_t end);

  const SnapshotView& view_;
  SnapshotStream& stream_;
  StringNumbers& strings_;
  UsedStacks& used_stacks_;
  const Resolver resolver_;
  heaprake_snapshot_end* totals_ = nullptr;
  Buffers* buffers_ = nullptr;
  Pending pending_[kBatch];
  size_t pending_count_ = 0;
  size_t candidate_count_ = 0;
  size_t last_granule_ = 0;  // of the record before
};

class RootSection {
 public:
  RootSection(const SnapshotView& view, SnapshotStream& stream, StringNumbers& strings,
              const MappedArray<uint32_t>& module_numbers,
              const MappedArray<uint32_t>& thread_numbers)
      : view_(view),
        stream_(stream),
        strings_(strings),
        module_numbers_(module_numbers),
        thread_numbers_(thread_numbers) {}
  void write(heaprake_snapshot_end* totals);

 private:
  // Of a word, as heaprake/snapshot.h has it.
  struct Place {
    gc_reference_kind kind;
    uint32_t where;
    uintptr_t address;
    const char* name;
  };
  void scan(const Root& root);
  void scan(const Root& root, platform::Range range, const char* content);
  void send(const Place& place, uintptr_t word);
  Place place_of(const Root& root, uint32_t where, uintptr_t at) const;
  uint32_t where(const Root& root) const;

  const SnapshotView& view_;
  SnapshotStream& stream_;
  StringNumbers& strings_;
  const MappedArray<uint32_t>& module_numbers_;  // by position in the view's modules
  const MappedArray<uint32_t>& thread_numbers_;  // by position in the world's list of threads
  const Resolver resolver_;
  heaprake_snapshot_end* totals_ = nullptr;
};

}  // namespace heaprake::collector
