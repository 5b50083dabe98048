#include "collector/snapshot_tables.h"

#include <algorithm>
#include <cstring>

#include "allocator/ledger.h"
#include "platform/task.h"

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

// Read from a file, since a program's filter that lets collections be may forbid uname.
void write_origin(SnapshotStream& stream) {
  constexpr const char kVersion[] = HEAPRAKE_VERSION;
  char host[65];
  size_t length = 0;
  const int file = platform::open_for_reading("/proc/sys/kernel/hostname");
  if (file >= 0) {
    length = platform::read_some(file, host, sizeof host);
    platform::close_file(file);
  }
  if (length && host[length - 1] == '\n') length--;
  Section& section = stream.section(HEAPRAKE_SNAPSHOT_ORIGIN);
  section.begin(sizeof host + sizeof kVersion + 2 * Section::kMostNumber);
  section.text(host, length);
  section.text(kVersion, strlen(kVersion));
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

namespace {

struct ModuleRecord {
  uintptr_t load;
  platform::Range range;
  uint64_t flags;
  const uint8_t* id;
  size_t id_length;
  const char* path;
};

void write_module(SnapshotStream& stream, const ModuleRecord& module) {
  const size_t length = strlen(module.path);
  Section& section = stream.section(HEAPRAKE_SNAPSHOT_MODULES);
  section.begin(6 * Section::kMostNumber + module.id_length + length);
  section.number(module.load);
  section.number(module.range.lo);
  section.number(module.range.hi);
  section.number(module.flags);
  section.text(reinterpret_cast<const char*>(module.id), module.id_length);
  section.text(module.path, length);
}

void write_loaded(SnapshotStream& stream, const LoadedModule& module) {
  write_module(stream, {module.load, module.range,
                        HEAPRAKE_MODULE_LOADED | (module.program ? HEAPRAKE_MODULE_PROGRAM : 0),
                        module.id, module.id_length, module.path});
}

bool is_same(const platform::Module& known, const LoadedModule& loaded) {
  return known.image.lo == loaded.range.lo && known.build_id_length == loaded.id_length &&
         memcmp(known.build_id, loaded.id, loaded.id_length) == 0;
}

}  // namespace

bool write_modules(SnapshotStream& stream, const Modules& loaded, MappedArray<uint32_t>* numbers) {
  constexpr uint32_t kNone = UINT32_MAX;
  for (size_t i = 0; i < loaded.list().size(); i++) {
    if (!numbers->push(kNone)) return false;
  }
  const uint32_t known_count = heap::ledger::module_count();
  for (uint32_t number = 1; number <= known_count; number++) {
    const platform::Module& known = heap::ledger::module_at(number);
    const size_t at = loaded.find(known.image.lo);
    if (at < loaded.list().size() && is_same(known, loaded.list()[at])) {
      (*numbers)[at] = number - 1;
      write_loaded(stream, loaded.list()[at]);
    } else {
      write_module(stream,
                   {known.base, known.image, 0, known.build_id, known.build_id_length, known.path});
    }
  }
  uint32_t next = known_count;
  for (size_t i = 0; i < loaded.list().size(); i++) {
    if ((*numbers)[i] != kNone) continue;
    (*numbers)[i] = next++;
    write_loaded(stream, loaded.list()[i]);
  }
  return true;
}

namespace {

void write_thread(SnapshotStream& stream, int tid, uint64_t flags, const char* name) {
  const size_t length = strlen(name);
  Section& section = stream.section(HEAPRAKE_SNAPSHOT_THREADS);
  section.begin(3 * Section::kMostNumber + length);
  section.number(static_cast<uint64_t>(tid));
  section.number(flags);
  section.text(name, length);
}

uint64_t flags_of(const NotedThread& thread, int pid) {
  return HEAPRAKE_THREAD_ALIVE | (thread.tid == pid ? HEAPRAKE_THREAD_MAIN : 0);
}

// The living thread with the id, by its position; alive.size() if there is none.
size_t find_thread(const MappedArray<NotedThread>& alive, int tid) {
  size_t at = 0;
  while (at < alive.size() && alive[at].tid != tid) at++;
  return at;
}

}  // namespace

bool write_threads(SnapshotStream& stream, const MappedArray<NotedThread>& alive, int pid,
                   MappedArray<uint32_t>* numbers) {
  for (size_t i = 0; i < alive.size(); i++) {
    if (!numbers->push(0)) return false;
  }
  const uint32_t known_count = heap::ledger::thread_count();
  for (uint32_t number = 1; number <= known_count; number++) {
    const heap::ledger::Thread known = heap::ledger::thread_at(number);
    const size_t at = known.ended ? alive.size() : find_thread(alive, known.tid);
    if (at == alive.size()) {
      write_thread(stream, known.tid, known.tid == pid ? HEAPRAKE_THREAD_MAIN : 0, known.name);
    } else {
      (*numbers)[at] = number;
      write_thread(stream, known.tid, flags_of(alive[at], pid), alive[at].name);
    }
  }
  uint32_t next = known_count;
  for (size_t i = 0; i < alive.size(); i++) {
    if ((*numbers)[i]) continue;
    (*numbers)[i] = ++next;
    write_thread(stream, alive[i].tid, flags_of(alive[i], pid), alive[i].name);
  }
  return true;
}

UsedStacks::~UsedStacks() {
  if (bits_) platform::release(bits_, (limit_ / 64 + 1) * sizeof *bits_);
}

bool UsedStacks::prepare() {
  limit_ = heap::ledger::stack_count() + 1;
  bits_ = static_cast<uint64_t*>(platform::map((limit_ / 64 + 1) * sizeof *bits_));
  return bits_ != nullptr;
}

void UsedStacks::write(SnapshotStream& stream) const {
  constexpr size_t kMostFrames = 64;
  heap::ledger::Frame frames[kMostFrames];
  for (uint32_t stack = 1; stack < limit_; stack++) {
    const bool used = bits_[stack / 64] >> stack % 64 & 1;
    const size_t count =
        used ? std::min(heap::ledger::frames_of(stack, frames, kMostFrames), kMostFrames) : 0;
    Section& section = stream.section(HEAPRAKE_SNAPSHOT_STACKS);
    section.begin((1 + 2 * count) * Section::kMostNumber);
    section.number(count);
    for (size_t i = 0; i < count; i++) {
      section.number(frames[i].module);
      section.number(frames[i].offset);
    }
  }
}

}  // namespace heaprake::collector
