#include "cli/snapshot_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/failure.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

[[noreturn]] void damaged(const std::string& path, const std::string& why) {
  throw Failure(kExitFailure, "the snapshot " + shell_quoted(path) + " is damaged: " + why);
}

class Reader {
 public:
  explicit Reader(const std::string& path)
      : path_(path), fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat status {};
    if (fd_ < 0 || fstat(fd_, &status) != 0) fail(std::strerror(errno));
    if (!S_ISREG(status.st_mode)) fail("it is not a regular file");
    left_ = static_cast<uint64_t>(status.st_size);
  }
  ~Reader() {
    if (fd_ >= 0) close(fd_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  uint64_t left() const { return left_; }

  void read(void* to, size_t bytes) {
    auto* next = static_cast<char*>(to);
    while (bytes > 0) {
      const ssize_t n = ::read(fd_, next, bytes);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) damaged(path_, "it ends before its time");
      next += n;
      bytes -= static_cast<size_t>(n);
      left_ -= static_cast<uint64_t>(n);
    }
  }

  // `count` records; the caller has checked that so many bytes are there.
  template <class Record>
  std::vector<Record> records(uint64_t count) {
    std::vector<Record> all(count);
    read(all.data(), count * sizeof(Record));
    return all;
  }

 private:
  [[noreturn]] void fail(const std::string& why) {
    if (fd_ >= 0) close(fd_);
    throw Failure(kExitFailure, "cannot read the snapshot " + shell_quoted(path_) + ": " + why);
  }

  const std::string& path_;
  int fd_;
  uint64_t left_ = 0;
};

// The size of the file must be exactly what the header says; no sum may wrap around on the way.
void check_size(const std::string& path, const heaprake_snapshot_header& header, uint64_t left) {
  constexpr uint64_t kBlock = sizeof(heaprake_snapshot_block);
  constexpr uint64_t kEdge = sizeof(heaprake_snapshot_edge);
  bool fits = header.blocks <= left / kBlock;
  if (fits) left -= header.blocks * kBlock;
  fits = fits && header.edges <= left / kEdge;
  if (fits) left -= header.edges * kEdge;
  if (!fits || left != header.command_length) damaged(path, "its size is not what its header says");
  if (header.blocks >= UINT32_MAX) damaged(path, "it has more blocks than any program");
}

void check_blocks(const std::string& path, const std::vector<heaprake_snapshot_block>& blocks) {
  uint64_t end = 0;
  for (const heaprake_snapshot_block& block : blocks) {
    if (block.address < end) damaged(path, "its blocks overlap or are out of order");
    if (block.size > UINT64_MAX - block.address || block.requested > block.size)
      damaged(path, "the block at " + hexadecimal(block.address) + " has an impossible size");
    end = block.address + block.size;
  }
}

void check_edges(const std::string& path, const Snapshot& snapshot) {
  const heaprake_snapshot_edge* previous = nullptr;
  for (const heaprake_snapshot_edge& edge : snapshot.edges) {
    if (edge.from >= snapshot.blocks.size() || edge.to >= snapshot.blocks.size())
      damaged(path, "a reference names a block that does not exist");
    if (edge.offset >= snapshot.blocks[edge.from].size)
      damaged(path, "a reference lies outside its block");
    if (previous && (edge.from < previous->from ||
                     (edge.from == previous->from && edge.offset <= previous->offset)))
      damaged(path, "its references are out of order");
    previous = &edge;
  }
}

std::vector<std::string> split_command(const std::string& text) {
  std::vector<std::string> words;
  for (size_t i = 0; i < text.size();) {
    const size_t end = std::min(text.find('\0', i), text.size());
    words.push_back(text.substr(i, end - i));
    i = end + 1;
  }
  return words;
}

}  // namespace

Snapshot read_snapshot(const std::string& path) {
  Reader reader(path);
  Snapshot snapshot;
  if (reader.left() < sizeof snapshot.header) damaged(path, "it ends within its header");
  reader.read(&snapshot.header, sizeof snapshot.header);
  if (snapshot.header.magic != HEAPRAKE_SNAPSHOT_MAGIC)
    throw Failure(kExitFailure, shell_quoted(path) + " is not a heaprake snapshot");
  if (snapshot.header.version != 1)
    throw Failure(kExitFailure, "the snapshot " + shell_quoted(path) + " has format " +
                                    std::to_string(snapshot.header.version) +
                                    ", and this heaprake reads format 1");
  check_size(path, snapshot.header, reader.left());
  snapshot.blocks = reader.records<heaprake_snapshot_block>(snapshot.header.blocks);
  check_blocks(path, snapshot.blocks);
  snapshot.edges = reader.records<heaprake_snapshot_edge>(snapshot.header.edges);
  check_edges(path, snapshot);
  std::string command(snapshot.header.command_length, '\0');
  reader.read(command.data(), command.size());
  snapshot.command = split_command(command);
  return snapshot;
}

}  // namespace heaprake::cli
