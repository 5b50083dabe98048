#include "child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

extern char** environ;

namespace heaprake::test {
namespace {

// An unnamed file that takes a child's output, however long.
class Capture {
 public:
  Capture() : file_(std::tmpfile()) {
    if (!file_) throw std::runtime_error("no temporary file");
  }
  ~Capture() { std::fclose(file_); }
  int descriptor() const { return fileno(file_); }
  std::string text() const {
    std::string all;
    char buffer[4096];
    std::rewind(file_);
    while (size_t n = std::fread(buffer, 1, sizeof buffer, file_)) all.append(buffer, n);
    return all;
  }

 private:
  std::FILE* file_;
};

Ended run(const std::vector<std::string>& command, std::vector<std::string> variables) {
  for (char** entry = environ; *entry; ++entry) {
    std::string variable = *entry;
    if (!variable.starts_with("LD_PRELOAD=") && !variable.starts_with("HEAPRAKE_")) {
      variables.push_back(variable);
    }
  }
  std::vector<char*> arguments, environment;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  for (const std::string& word : variables) environment.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  environment.push_back(nullptr);

  Capture out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out.descriptor(), 1);
  posix_spawn_file_actions_adddup2(&actions, err.descriptor(), 2);
  pid_t pid = 0;
  int error =
      posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error) throw std::runtime_error("cannot run " + command[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  Ended ended;
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  ended.out = out.text();
  ended.err = err.text();
  return ended;
}

}  // namespace

Ended run_preloaded(const std::vector<std::string>& command, const std::string& options,
                    const std::string& first) {
  std::string preload = first.empty() ? HEAPRAKE_LIBRARY : first + ":" + HEAPRAKE_LIBRARY;
  return run(command, {"LD_PRELOAD=" + preload, "HEAPRAKE_OPTIONS=" + options});
}

Ended run_natively(const std::vector<std::string>& command) {
  return run(command, {});
}

}  // namespace heaprake::test
