// The sections of a snapshot that do not speak of blocks: the command line, modules, threads,
// stacks.
#pragma once

#include "collector/modules.h"
#include "collector/snapshot_stream.h"
#include "platform/platform.h"

namespace heaprake::collector {

// A thread as it stood still; taken while the world is stopped, since a copy of the process has
// none of them.
struct NotedThread {
  int tid;
  char name[16];
};
// In the order of the world's list. false: out of memory.
bool note_threads(const platform::World& world, MappedArray<NotedThread>* threads);

void write_command(SnapshotStream& stream);
void write_origin(SnapshotStream& stream);
void write_reason(SnapshotStream& stream, const char* sentence);
void write_text(SnapshotStream& stream, uint32_t kind, const char* text);
// Modules: those that stacks point into, under the ledger's numbers, and behind them the others
// that are loaded. `numbers` gets the number of each of these, from 0, by its position in `loaded`.
// false: out of memory.
bool write_modules(SnapshotStream& stream, const Modules& loaded, MappedArray<uint32_t>* numbers);
// Threads: the ledger's, under its numbers, and behind them those that have never allocated.
// `numbers` gets the number of each that is alive, by its position in `alive`.
bool write_threads(SnapshotStream& stream, const MappedArray<NotedThread>& alive, int pid,
                   MappedArray<uint32_t>* numbers);

// The stacks that records have named: only these are worth their frames.
class UsedStacks {
 public:
  ~UsedStacks();
  // false: out of memory.
  bool prepare();
  void note(uint32_t stack) {
    if (stack < limit_) bits_[stack / 64] |= uint64_t{1} << stack % 64;
  }
  // The others are written too, without frames, so that numbers stay what they are.
  void write(SnapshotStream& stream) const;

 private:
  uint64_t* bits_ = nullptr;
  uint32_t limit_ = 0;  // stack numbers are below it
};

}  // namespace heaprake::collector
