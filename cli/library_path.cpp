#include "cli/library_path.h"

#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <filesystem>

#include "cli/failure.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

std::string checked(const std::filesystem::path& path) {
  std::string text = path.lexically_normal().string();
  // The dynamic loader splits LD_PRELOAD at spaces and colons and expands $ORIGIN and its like.
  if (text.find_first_of(" :$") != std::string::npos)
    throw Failure(kExitFailure, "LD_PRELOAD cannot name " + shell_quoted(text) +
                                    ": move libheaprake.so to a path without spaces, colons and "
                                    "dollar signs and name it in HEAPRAKE_LIBRARY");
  return text;
}

}  // namespace

std::string library_path_from(const std::string& directory, const char* override_path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (override_path && *override_path) {
    const fs::path path = fs::absolute(override_path);
    if (fs::is_regular_file(path, error) && access(path.c_str(), R_OK) == 0) return checked(path);
    throw Failure(kExitFailure, "HEAPRAKE_LIBRARY names " + shell_quoted(override_path) +
                                    ", which is not a readable file");
  }
  static constexpr const char* kPlaces[] = {
      "libheaprake.so",
      "../lib/x86_64-linux-gnu/libheaprake.so.1",
      "../lib/x86_64-linux-gnu/libheaprake.so",
      "../lib/libheaprake.so.1",
      "../lib/libheaprake.so",
      "../lib64/libheaprake.so.1",
      "../lib64/libheaprake.so",
  };
  for (const char* place : kPlaces) {
    const fs::path path = fs::path(directory) / place;
    if (fs::is_regular_file(path, error)) return checked(path);
  }
  throw Failure(kExitFailure, "libheaprake.so is neither beside this command in " +
                                  shell_quoted(directory) +
                                  " nor in ../lib: name it in HEAPRAKE_LIBRARY");
}

std::string library_path() {
  char buffer[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", buffer, sizeof buffer);
  const std::filesystem::path self(length > 0 ? std::string(buffer, static_cast<size_t>(length))
                                              : std::string());
  return library_path_from(self.parent_path().string(), std::getenv("HEAPRAKE_LIBRARY"));
}

}  // namespace heaprake::cli
