// Files that the command writes. An existing regular file is not overwritten unless --force is
// given; a file appears under its name only when it is whole. Of a link, that is what it names.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cli/arguments.h"

namespace heaprake::cli {

// The option --force, which every subcommand that writes a file has.
OptionSpec force_option();

// Writes all of it. Throws a Failure (kExitFailure) that names the file.
void write_all(int fd, std::string_view content, const std::string& path);

class OutputFile {
 public:
  // Throws a Failure (kExitUsage) at once if `path` may not be overwritten or is "-",
  // (kExitFailure) if its directory does not take a file: before a program has run for an hour.
  // Nothing is created yet.
  OutputFile(std::string path, bool force);
  // Writes all of it, in a file beside it that is then renamed; a device, a pipe that somebody
  // reads, or a descriptor's file (/dev/stdout) is written directly. Throws a Failure
  // (kExitFailure).
  void write(std::string_view content) const;
  // The same for what is too long to be in memory: `writer` writes to the descriptor.
  void write_by(const std::function<void(int fd)>& writer) const;
  // A copy of another file.
  void copy_from(const std::string& path) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool special_;  // a terminal, a pipe, /dev/null; what an open descriptor leads to
};

}  // namespace heaprake::cli
