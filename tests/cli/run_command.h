// Runs the command heaprake as a child and keeps what it says.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace heaprake::cli::test {

struct Outcome {
  int status;  // exit status; 128 + signal if it was killed
  std::string out, error;
};

using Variables = std::map<std::string, std::string>;

// `words` is argv without the command itself.
Outcome run(const std::vector<std::string>& words, const Variables& environment = {});

// A child whose ends are in the test's hands.
class Running {
 public:
  // It leads a process group of its own, as a shell's jobs do.
  Running(const std::vector<std::string>& words, const Variables& environment = {});
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  pid_t pid() const { return pid_; }
  // The next line of its standard output, without the newline; "" at its end.
  std::string read_line();
  // Waits until its standard error has this text, for at most half a minute.
  bool says(const std::string& text) const;
  std::string error_so_far() const;
  void close_input();
  Outcome wait();

 private:
  std::string path(const char* name) const;
  std::string directory_;
  pid_t pid_;
  int input_, output_;
  std::string text_;
  bool waited_ = false;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& content);

}  // namespace heaprake::cli::test
