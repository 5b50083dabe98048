// A private directory, for files, that goes away with its owner, or with the command.
#pragma once

#include <filesystem>
#include <string>

#include "cli/leftover.h"

namespace heaprake::cli {

class TemporaryDirectory {
 public:
  // In TMPDIR, or /tmp; nobody else may look into it. Throws a Failure (kExitFailure).
  explicit TemporaryDirectory(const std::string& name);
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  const Leftover made_;
  const std::filesystem::path path_;
};

}  // namespace heaprake::cli
