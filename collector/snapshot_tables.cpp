#include "collector/snapshot_tables.h"

#include <algorithm>
#include <cstring>

namespace heaprake::collector {

namespace {

// Linux allows 128 KiB for one argument.
constexpr size_t kMostArgument = 256 * 1024;

// Takes the bytes of /proc/self/cmdline, in which a NUL ends each argument.
class ArgumentSplitter {
 public:
  explicit ArgumentSplitter(SnapshotStream& stream) : stream_(stream) {}
  void take(const char* bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
      if (!bytes[i]) {
        finish();
      } else if (argument_.size() < kMostArgument) {
        argument_.push(bytes[i]);
      }
    }
  }
  void end() {
    if (!argument_.empty()) finish();
    argument_.shrink(0);
  }

 private:
  void finish() {
    Section& section = stream_.section(HEAPRAKE_SNAPSHOT_COMMAND);
    section.begin(argument_.size() + Section::kMostNumber);
    section.text(argument_.data(), argument_.size());
    argument_.clear();
  }
  SnapshotStream& stream_;
  MappedArray<char> argument_;
};

}  // namespace

bool note_threads(const platform::World& world, MappedArray<NotedThread>* threads) {
  for (size_t i = 0; i < world.count; i++) {
    NotedThread noted{world.threads[i].tid, {}};
    platform::thread_name(noted.tid, noted.name);
    if (!threads->push(noted)) return false;
  }
  return true;
}

void write_command(SnapshotStream& stream) {
  const int file = platform::open_for_reading("/proc/thread-self/cmdline");
  if (file < 0) return;
  ArgumentSplitter splitter(stream);
  char bytes[platform::kPageSize];
  for (size_t got; (got = platform::read_some(file, bytes, sizeof bytes)) != 0;)
    splitter.take(bytes, got);
  platform::close_file(file);
  splitter.end();
}

void write_reason(SnapshotStream& stream, const char* sentence) {
  const size_t length = strlen(sentence);
  Section& section = stream.section(HEAPRAKE_SNAPSHOT_INCOMPLETE);
  section.begin(length + Section::kMostNumber);
  section.text(sentence, length);
}

void write_text(SnapshotStream& stream, uint32_t kind, const char* text) {
  constexpr size_t kPiece = HEAPRAKE_SNAPSHOT_MAX_CHUNK / 2;
  for (size_t left = strlen(text); left;) {
    const size_t piece = std::min(left, kPiece);
    Section& section = stream.section(kind);
    section.begin(piece);
    section.bytes(text, piece);
    text += piece;
    left -= piece;
  }
}

bool write_modules(SnapshotStream& stream, const Modules& modules, MappedArray<uint32_t>* numbers) {
  uint32_t number = 0;
  for (const LoadedModule& module : modules.list()) {
    const size_t length = strlen(module.path);
    Section& section = stream.section(HEAPRAKE_SNAPSHOT_MODULES);
    section.begin(6 * Section::kMostNumber + module.id_length + length);
    section.number(module.load);
    section.number(module.range.lo);
    section.number(module.range.hi);
    section.number(HEAPRAKE_MODULE_LOADED | (module.program ? HEAPRAKE_MODULE_PROGRAM : 0));
    section.text(reinterpret_cast<const char*>(module.id), module.id_length);
    section.text(module.path, length);
    if (!numbers->push(number++)) return false;
  }
  return true;
}

bool write_threads(SnapshotStream& stream, const MappedArray<NotedThread>& threads, int pid,
                   MappedArray<uint32_t>* numbers) {
  uint32_t number = 0;
  for (const NotedThread& thread : threads) {
    const size_t length = strlen(thread.name);
    Section& section = stream.section(HEAPRAKE_SNAPSHOT_THREADS);
    section.begin(3 * Section::kMostNumber + length);
    section.number(static_cast<uint64_t>(thread.tid));
    section.number(HEAPRAKE_THREAD_ALIVE | (thread.tid == pid ? HEAPRAKE_THREAD_MAIN : 0));
    section.text(thread.name, length);
    if (!numbers->push(++number)) return false;
  }
  return true;
}

void write_stacks(SnapshotStream&) {}

}  // namespace heaprake::collector
