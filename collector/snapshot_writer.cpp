// Writes what a hunt needs: the unreachable blocks and the references among them.

#include <algorithm>
#include <cstring>

#include "collector/cycle.h"
#include "collector/figures.h"
#include "collector/session.h"
#include "heaprake/snapshot.h"

namespace heaprake::collector {

namespace {

// From this size on a block's untouched pages are looked for.
constexpr size_t kSparseBytes = 1 << 20;

class SnapshotWriter {
 public:
  SnapshotWriter() { space_.open(); }
  ~SnapshotWriter() {
    space_.close();
    blocks_.shrink(0);
    edges_.shrink(0);
  }

  // After turn_into_garbage; the world may run: nothing can reach these blocks.
  bool gather(MarkBits& garbage) {
    bool ok = true;
    garbage.for_each_set([&](size_t granule) {
      heap::Block block = heap::block_at(granule);
      if (!block) return;
      ok = ok && blocks_.push({block.address, heap::requested_size(block), block.size});
    });
    for (size_t i = 0; ok && i < blocks_.size(); i++) ok = gather_edges(i);
    return ok;
  }

  void write(int fd) const {
    heaprake_snapshot_header header{};
    header.magic = HEAPRAKE_SNAPSHOT_MAGIC;
    header.version = 1;
    header.pid = static_cast<uint32_t>(platform::process_id());
    header.blocks = blocks_.size();
    header.edges = edges_.size();
    header.reachable_blocks = figures.live_blocks.load(std::memory_order_relaxed);
    header.reachable_bytes = figures.live_bytes.load(std::memory_order_relaxed);
    header.complete = 1;
    platform::write_all(fd, &header, sizeof header);
    platform::write_all(fd, blocks_.data(), blocks_.size() * sizeof(heaprake_snapshot_block));
    platform::write_all(fd, edges_.data(), edges_.size() * sizeof(heaprake_snapshot_edge));
  }

  size_t count() const { return blocks_.size(); }
  size_t bytes() const {
    size_t sum = 0;
    for (const heaprake_snapshot_block& block : blocks_) sum += block.requested;
    return sum;
  }

 private:
  // The index of the unreachable block that contains the word, SIZE_MAX if there is none.
  size_t index_of(uintptr_t word) const {
    const heaprake_snapshot_block* after =
        std::upper_bound(blocks_.begin(), blocks_.end(), word,
                         [](uintptr_t w, const auto& block) { return w < block.address; });
    if (after == blocks_.begin()) return SIZE_MAX;
    const heaprake_snapshot_block& block = after[-1];
    if (word - block.address >= block.size) return SIZE_MAX;
    return static_cast<size_t>(&block - blocks_.begin());
  }

  bool gather_edges(size_t from) {
    const heaprake_snapshot_block block = blocks_[from];
    heap::Block there = heap::find_block(block.address);
    if (there.leaf || there.address != block.address) return true;
    bool room = true;
    if (block.size < kSparseBytes) return gather_edges(from, 0, block.size);
    // Pages that were never touched are left so.
    space_.for_each_touched({block.address, block.address + block.size}, platform::Pages::kTouched,
                            [&](platform::Range touched) {
                              uint64_t lo = std::max(touched.lo, block.address) - block.address;
                              uint64_t hi = std::min(touched.hi - block.address, block.size);
                              room = room && gather_edges(from, lo, hi);
                            });
    return room;
  }

  // Of the words at offsets from lo to hi.
  bool gather_edges(size_t from, uint64_t lo, uint64_t hi) {
    const char* content = reinterpret_cast<const char*>(blocks_[from].address);
    for (uint64_t offset = lo; offset + sizeof(uintptr_t) <= hi; offset += 8) {
      uintptr_t word;
      memcpy(&word, content + offset, sizeof word);
      if (word - heap::geometry.base >= heap::geometry.size) continue;
      size_t to = index_of(word);
      if (to != SIZE_MAX && !edges_.push({from, to, offset})) return false;
    }
    return true;
  }

  platform::AddressSpace space_;
  MappedArray<heaprake_snapshot_block> blocks_;  // in address order
  MappedArray<heaprake_snapshot_edge> edges_;
};

bool take_snapshot(int fd, const platform::StoppedThread& self, Wait wait, Outcome* outcome,
                   platform::FunctionRef<void()> begin) {
  *outcome = Outcome();
  bool written = false;
  outcome->busy = !run_session(self, wait, [&] {
    {
      StoppedWorld world(self, state.roots, false);
      if (!world.ok() || !mark_world(world, &outcome->completed)) return;
      state.bits.turn_into_garbage();
    }
    SnapshotWriter writer;
    written = writer.gather(state.bits);
    if (!written) return;
    begin();
    writer.write(fd);
    outcome->blocks = writer.count();
    outcome->bytes = writer.bytes();
  });
  return written;
}

}  // namespace

bool write_snapshot(int fd, const platform::StoppedThread& self, Outcome* outcome,
                    platform::FunctionRef<void()> begin) {
  return take_snapshot(fd, self, Wait::kYes, outcome, begin);
}

bool write_snapshot_in_handler(int fd, const platform::StoppedThread& self, Outcome* outcome,
                               platform::FunctionRef<void()> begin) {
  return take_snapshot(fd, self, Wait::kNo, outcome, begin);
}

}  // namespace heaprake::collector
