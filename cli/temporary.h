// A private directory that goes away with its owner.
#pragma once

#include <filesystem>
#include <string>

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
  std::filesystem::path path_;
};

}  // namespace heaprake::cli
