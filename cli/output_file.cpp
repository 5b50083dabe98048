#include "cli/output_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "cli/failure.h"
#include "cli/leftover.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

[[noreturn]] void cannot_write(const std::string& path, int error) {
  throw Failure(kExitFailure, "cannot write " + shell_quoted(path) + ": " + std::strerror(error));
}

// Without waiting for a pipe's reader, who may never come.
int open_to_write(const std::string& path, int flags) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags, 0666);
  if (fd < 0 && errno == ENXIO)
    throw Failure(kExitFailure, "cannot write " + shell_quoted(path) + ": nobody reads from it");
  if (fd < 0) cannot_write(path, errno);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  return fd;
}

void write_and_close(int fd, const std::string& path, const std::function<void(int fd)>& writer) {
  try {
    writer(fd);
  } catch (...) {
    close(fd);
    throw;
  }
  if (close(fd) != 0) cannot_write(path, errno);
}

struct Target {
  std::filesystem::path path;  // absolute, and no link
  bool descriptor = false;     // a link of the kernel's to what some process has open
};

bool is_kernels_own(const std::filesystem::path& link) {
  const int fd = open(link.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct statfs system {};
  const bool own = fd >= 0 && fstatfs(fd, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
  if (fd >= 0) close(fd);
  return own;
}

// Where a link leads, also if there is nothing yet: the rename needs the file itself. The name is
// absolute, in case the command goes to another directory.
Target follow(const std::string& path) {
  constexpr int kMostLinks = 40;  // the kernel's own bound
  std::error_code error;
  Target target{std::filesystem::absolute(path, error)};
  for (int links = 0; !error && std::filesystem::is_symlink(target.path, error); ++links) {
    if (links == kMostLinks) cannot_write(path, ELOOP);
    if (is_kernels_own(target.path)) {
      target.descriptor = true;
      break;
    }
    const std::filesystem::path next = std::filesystem::read_symlink(target.path, error);
    target.path = target.path.parent_path() / next;
  }
  return target;
}

}  // namespace

void write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n >= 0)
      content.remove_prefix(static_cast<size_t>(n));
    else if (errno != EINTR)
      cannot_write(path, errno);
  }
}

OptionSpec force_option() {
  return {"force", Takes::kNothing, "", "overwrite files that exist", 'f'};
}

OutputFile::OutputFile(std::string path, bool force) : path_(std::move(path)), special_(false) {
  if (path_.empty()) throw Failure(kExitUsage, "the name of a file may not be empty");
  if (path_ == "-")
    throw Failure(kExitUsage,
                  "'-' is no file: the standard output is the program's own; './-' names a file");
  const Target target = follow(path_);
  struct stat status {};
  const bool exists = stat(path_.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) cannot_write(path_, EISDIR);
  special_ = exists && (target.descriptor || !S_ISREG(status.st_mode));
  if (exists && !special_ && !force)
    throw Failure(kExitUsage, shell_quoted(path_) + " exists: --force overwrites it");
  if (special_) return;
  const std::string directory = target.path.parent_path().string();
  if (access(directory.c_str(), W_OK | X_OK) != 0) cannot_write(path_, errno);
  path_ = target.path.string();
}

void OutputFile::write(std::string_view content) const {
  write_by([&](int fd) { write_all(fd, content, path_); });
}

void OutputFile::copy_from(const std::string& path) const {
  const int from = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0)
    throw Failure(kExitFailure, "cannot read " + shell_quoted(path) + ": " + std::strerror(errno));
  const auto copy = [&](int fd) {
    std::vector<char> buffer(size_t{1} << 20);
    for (ssize_t n; (n = read(from, buffer.data(), buffer.size())) != 0;) {
      if (n > 0)
        write_all(fd, {buffer.data(), static_cast<size_t>(n)}, path_);
      else if (errno != EINTR)
        throw Failure(kExitFailure,
                      "cannot read " + shell_quoted(path) + ": " + std::strerror(errno));
    }
  };
  try {
    write_by(copy);
  } catch (const Failure&) {
    close(from);
    throw;
  }
  close(from);
}

void OutputFile::write_by(const std::function<void(int fd)>& writer) const {
  if (special_) {
    write_and_close(open_to_write(path_, O_APPEND), path_, writer);
    return;
  }
  int fd = -1;
  const Leftover partial([&] {
    std::string name = path_ + ".partial-" + std::to_string(getpid());
    fd = open_to_write(name, O_CREAT | O_EXCL);
    return name;
  });
  try {
    write_and_close(fd, partial.path(), writer);
    if (std::rename(partial.path().c_str(), path_.c_str()) != 0) cannot_write(path_, errno);
  } catch (...) {
    unlink(partial.path().c_str());
    throw;
  }
}

}  // namespace heaprake::cli
