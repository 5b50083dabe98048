#include "cli/snapshot/chunk_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/failure.h"
#include "cli/snapshot/payload.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

// Chunks of version 1 did not exist; its header began with the magic number and the version, too.
constexpr uint64_t kMagicOfVersion1 = 0x31504e5345524148ull;

[[noreturn]] void unreadable(const std::string& path, const std::string& why) {
  throw Failure(kExitFailure, "cannot read the snapshot " + shell_quoted(path) + ": " + why);
}

}  // namespace

ChunkFile::ChunkFile(const std::string& path)
    : path_(path), fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  struct stat status {};
  std::string why;
  if (fd_ < 0 || fstat(fd_, &status) != 0)
    why = std::strerror(errno);
  else if (!S_ISREG(status.st_mode))
    why = "it is not a regular file";
  if (why.empty()) {
    size_ = static_cast<uint64_t>(status.st_size);
    return;
  }
  if (fd_ >= 0) close(fd_);
  unreadable(path, why);
}

ChunkFile::~ChunkFile() {
  close(fd_);
}

void ChunkFile::read_at(uint64_t position, void* to, size_t bytes) {
  auto* next = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t n = pread(fd_, next, bytes, static_cast<off_t>(position));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) unreadable(path_, std::strerror(errno));
    if (n == 0) throw Damage{"it ends before its time"};
    next += n;
    position += static_cast<uint64_t>(n);
    bytes -= static_cast<size_t>(n);
  }
}

heaprake_snapshot_header ChunkFile::header() {
  heaprake_snapshot_header header{};
  uint64_t magic = 0;
  if (size_ >= sizeof magic) read_at(0, &magic, sizeof magic);
  const bool ours = magic == HEAPRAKE_SNAPSHOT_MAGIC || magic == kMagicOfVersion1;
  if (size_ == 0 || (size_ >= sizeof magic && !ours))
    throw Failure(kExitFailure, shell_quoted(path_) + " is not a heaprake snapshot" +
                                    (size_ == 0 ? ": it is empty" : ""));
  if (size_ < sizeof header) throw Damage{"it ends within its header"};
  read_at(0, &header, sizeof header);
  if (magic == kMagicOfVersion1 || header.version != HEAPRAKE_SNAPSHOT_VERSION)
    throw Failure(kExitFailure,
                  "the snapshot " + shell_quoted(path_) + " has format " +
                      std::to_string(magic == kMagicOfVersion1 ? 1 : header.version) +
                      ", and this heaprake reads format 2: take it again, or read it with the "
                      "version of heaprake that took it");
  rewind();
  return header;
}

heaprake_snapshot_end ChunkFile::end() {
  heaprake_snapshot_end end{};
  constexpr size_t kLeast =
      sizeof(heaprake_snapshot_header) + sizeof(heaprake_snapshot_chunk) + sizeof end;
  if (size_ < kLeast) throw Damage{"it ends before its time"};
  read_at(size_ - sizeof end, &end, sizeof end);
  return end;
}

Chunk ChunkFile::next() {
  heaprake_snapshot_chunk head{};
  if (size_ - position_ < sizeof head) throw Damage{"it ends before its time"};
  read_at(position_, &head, sizeof head);
  position_ += sizeof head;
  if (head.length > HEAPRAKE_SNAPSHOT_MAX_CHUNK) throw Damage{"a chunk is too long"};
  if (head.length > size_ - position_) throw Damage{"it ends before its time"};
  if (buffer_.size() < head.length) buffer_.resize(head.length);
  read_at(position_, buffer_.data(), head.length);
  position_ += head.length;
  if (head.kind == HEAPRAKE_SNAPSHOT_END && position_ != size_)
    throw Damage{"something follows its end"};
  return {head.kind, head.length, buffer_.data()};
}

void ChunkFile::rewind() {
  position_ = sizeof(heaprake_snapshot_header);
}

}  // namespace heaprake::cli
