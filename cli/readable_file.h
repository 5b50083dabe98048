// A file that may be anybody's, read in parts, none of which need be there.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>

namespace heaprake::cli {

class ReadableFile {
 public:
  explicit ReadableFile(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~ReadableFile() {
    if (fd_ >= 0) close(fd_);
  }
  ReadableFile(const ReadableFile&) = delete;
  ReadableFile& operator=(const ReadableFile&) = delete;
  bool is_open() const { return fd_ >= 0; }

  // At most `bytes` from `offset` on; fewer where the file ends.
  std::string read(uint64_t offset, size_t bytes) const {
    struct stat status;
    if (fstat(fd_, &status) == 0 && S_ISREG(status.st_mode)) {
      const auto size = static_cast<uint64_t>(status.st_size);
      bytes = std::min<uint64_t>(bytes, size - std::min(size, offset));
    }
    std::string data(bytes, '\0');
    size_t done = 0;
    while (done < bytes) {
      const ssize_t n =
          pread(fd_, data.data() + done, bytes - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      done += static_cast<size_t>(n);
    }
    data.resize(done);
    return data;
  }

 private:
  int fd_;
};

}  // namespace heaprake::cli
