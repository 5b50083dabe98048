#include "cli/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "cli/failure.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

[[noreturn]] void cannot_write(const std::string& path, int error) {
  throw Failure(kExitFailure, "cannot write " + shell_quoted(path) + ": " + std::strerror(error));
}

void write_to(const std::string& path, int flags, std::string_view content) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666);
  if (fd < 0) cannot_write(path, errno);
  int error = 0;
  while (!content.empty() && error == 0) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n >= 0)
      content.remove_prefix(static_cast<size_t>(n));
    else if (errno != EINTR)
      error = errno;
  }
  if (close(fd) != 0 && error == 0) error = errno;
  if (error != 0) {
    if (flags & O_CREAT) unlink(path.c_str());
    cannot_write(path, error);
  }
}

}  // namespace

OptionSpec force_option() {
  return {"force", Takes::kNothing, "", "overwrite files that exist", 'f'};
}

OutputFile::OutputFile(std::string path, bool force) : path_(std::move(path)), special_(false) {
  if (path_.empty()) throw Failure(kExitUsage, "the name of a file may not be empty");
  struct stat status;
  const bool exists = stat(path_.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) cannot_write(path_, EISDIR);
  special_ = exists && !S_ISREG(status.st_mode);
  if (exists && !special_ && !force)
    throw Failure(kExitUsage, shell_quoted(path_) + " exists: --force overwrites it");
  if (special_) return;
  // The rename needs the file itself, not a link to it; and the command may be waited for in
  // another directory's sense only if the name is absolute.
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(path_, error);
  if (exists) absolute = std::filesystem::canonical(absolute, error);
  const std::string directory = absolute.parent_path().string();
  if (error) cannot_write(path_, error.value());
  if (access(directory.c_str(), W_OK | X_OK) != 0) cannot_write(path_, errno);
  path_ = absolute.string();
}

void OutputFile::write(std::string_view content) const {
  if (special_) {
    write_to(path_, 0, content);
    return;
  }
  const std::string partial = path_ + ".partial-" + std::to_string(getpid());
  write_to(partial, O_CREAT | O_EXCL, content);
  if (std::rename(partial.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    unlink(partial.c_str());
    cannot_write(path_, error);
  }
}

}  // namespace heaprake::cli
