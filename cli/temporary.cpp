#include "cli/temporary.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/failure.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

std::string make_directory(const std::string& name) {
  const char* variable = std::getenv("TMPDIR");
  std::string path = std::filesystem::absolute(variable && *variable ? variable : "/tmp").string();
  const std::string parent = path;
  path += "/" + name + "-XXXXXX";
  if (!mkdtemp(path.data()))
    throw Failure(kExitFailure, "cannot make a temporary directory in " + shell_quoted(parent) +
                                    ": " + std::strerror(errno));
  return path;
}

}  // namespace

TemporaryDirectory::TemporaryDirectory(const std::string& name)
    : made_([&] { return make_directory(name); }), path_(made_.path()) {}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace heaprake::cli
