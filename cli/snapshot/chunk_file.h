// A snapshot's file as a header and chunks. Read with a buffer rather than mapped: a file that
// somebody shortens meanwhile is then an error, not a signal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heaprake/snapshot.h"

namespace heaprake::cli {

struct Chunk {
  uint32_t kind = 0;
  uint32_t length = 0;
  const char* content = nullptr;  // until the next one is read
};

// Order of calls: header() and end() once, then next() until it gives END; rewind() starts over
// with the first chunk. Throws Damage for what is wrong with the content, and a Failure
// (kExitFailure) for a file that is none, cannot be read, or is no snapshot of this version.
class ChunkFile {
 public:
  explicit ChunkFile(const std::string& path);
  ~ChunkFile();
  ChunkFile(const ChunkFile&) = delete;
  ChunkFile& operator=(const ChunkFile&) = delete;

  heaprake_snapshot_header header();
  // What the last bytes of the file hold, whether or not they are a chunk: next() says so.
  heaprake_snapshot_end end();
  Chunk next();
  void rewind();

  uint64_t size() const { return size_; }
  uint64_t position() const { return position_; }

 private:
  void read_at(uint64_t position, void* to, size_t bytes);

  std::string path_;
  int fd_;
  uint64_t size_ = 0, position_ = 0;
  std::vector<char> buffer_;
};

}  // namespace heaprake::cli
