#include "cli/temporary.h"

#include <sys/stat.h>
#include <unistd.h>

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

// The last component is secret: the outer directory can be passed through, but not listed.
std::string make_inbox(const std::string& outer) {
  uint64_t secret[2];
  if (getentropy(secret, sizeof secret) != 0)
    throw Failure(kExitFailure,
                  std::string("there are no random numbers: ") + std::strerror(errno));
  std::string path =
      outer + "/" + hexadecimal(secret[0]).substr(2) + hexadecimal(secret[1]).substr(2);
  if (mkdir(path.c_str(), 0700) != 0 || chmod(path.c_str(), 01733) != 0 ||
      chmod(outer.c_str(), 0711) != 0)
    throw Failure(kExitFailure, "cannot make a directory in " + shell_quoted(outer) + ": " +
                                    std::strerror(errno));
  return path;
}

}  // namespace

Inbox::Inbox(const TemporaryDirectory& within)
    : made_([&] { return make_inbox(within.path().string()); }), path_(made_.path()) {}

TemporaryDirectory::TemporaryDirectory(const std::string& name)
    : made_([&] { return make_directory(name); }), path_(made_.path()) {}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace heaprake::cli
