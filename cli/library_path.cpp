#include "cli/library_path.h"

#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <filesystem>

#include "cli/failure.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

// From the command's directory to the library's, as they were configured, and where packages of
// other kinds may have moved them.
constexpr const char* kInstalledPlaces[] = {
    HEAPRAKE_LIBRARY_PLACE "/libheaprake.so.1",
    "../lib/x86_64-linux-gnu/libheaprake.so.1",
    "../lib/libheaprake.so.1",
    "../lib64/libheaprake.so.1",
};

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
  // In a build tree the library lies beside the command, and one that was once installed into the
  // folder above must not take its place. Installed, the command is in bin.
  const std::string beside = (fs::path(directory) / "libheaprake.so").string();
  const bool installed = fs::path(directory).filename() == "bin";
  if (!installed && fs::is_regular_file(beside, error)) return checked(beside);
  for (const char* place : kInstalledPlaces) {
    const fs::path path = fs::path(directory) / place;
    if (fs::is_regular_file(path, error)) return checked(path);
  }
  if (fs::is_regular_file(beside, error)) return checked(beside);
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
