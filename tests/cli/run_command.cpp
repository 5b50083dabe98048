#include "run_command.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace heaprake::cli::test {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

Running::Running(const std::vector<std::string>& words, const Variables& environment) {
  char name[] = "/tmp/heaprake-test-XXXXXX";
  if (!mkdtemp(name)) std::abort();
  directory_ = name;
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) std::abort();
  std::vector<char*> argv = {const_cast<char*>(HEAPRAKE_COMMAND)};
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    setpgid(0, 0);
    // A shell's background job is started with some of them ignored.
    for (int number : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM}) signal(number, SIG_DFL);
    unsetenv("LD_PRELOAD");
    unsetenv("HEAPRAKE_OPTIONS");
    for (const auto& [key, value] : environment) setenv(key.c_str(), value.c_str(), 1);
    dup2(in[0], 0);
    dup2(out[1], 1);
    const int error = open(path("error").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(error, 2);
    close(error);
    execv(argv[0], argv.data());
    _exit(99);
  }
  close(in[0]);
  close(out[1]);
  input_ = in[1];
  output_ = out[0];
}

Running::~Running() {
  if (!waited_) {
    kill(pid_, SIGKILL);
    wait();
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string Running::path(const char* name) const {
  return directory_ + "/" + name;
}

std::string Running::read_line() {
  std::string line;
  char c;
  while (read(output_, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

bool Running::says(const std::string& text) const {
  for (int i = 0; i < 3000; ++i) {
    if (error_so_far().find(text) != std::string::npos) return true;
    usleep(10'000);
  }
  return false;
}

std::string Running::error_so_far() const {
  return read_file(path("error"));
}

void Running::close_input() {
  if (input_ >= 0) close(input_);
  input_ = -1;
}

Outcome Running::wait() {
  close_input();
  char buffer[4096];
  ssize_t n;
  while ((n = read(output_, buffer, sizeof buffer)) > 0) text_.append(buffer, size_t(n));
  close(output_);
  int status = 0;
  waitpid(pid_, &status, 0);
  waited_ = true;
  return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), text_,
          read_file(path("error"))};
}

Outcome run(const std::vector<std::string>& words, const Variables& environment) {
  return Running(words, environment).wait();
}

}  // namespace heaprake::cli::test
