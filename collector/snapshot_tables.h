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
void write_reason(SnapshotStream& stream, const char* sentence);
void write_text(SnapshotStream& stream, uint32_t kind, const char* text);
// The number of each loaded module, by its position in `modules`. false: out of memory.
bool write_modules(SnapshotStream& stream, const Modules& modules, MappedArray<uint32_t>* numbers);
// The same for threads; `pid` is the process's.
bool write_threads(SnapshotStream& stream, const MappedArray<NotedThread>& threads, int pid,
                   MappedArray<uint32_t>* numbers);
void write_stacks(SnapshotStream& stream);

}  // namespace heaprake::collector
