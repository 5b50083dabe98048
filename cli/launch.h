// Starting a program under heaprake.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace heaprake::cli {

// Everything that exec needs, found and checked beforehand.
struct Launch {
  std::string path;                      // of the program
  std::vector<std::string> words;        // its argv
  std::vector<std::string> environment;  // "NAME=value"
};

// Throws a Failure if the program is missing, cannot be run, or is out of LD_PRELOAD's reach.
Launch prepare_launch(const std::vector<std::string>& words,
                      const std::map<std::string, std::string>& options);

// LD_PRELOAD with our library first; what is there stays, but for another copy of our own.
std::string preload_list(const std::string& library, const char* existing);

// Replaces this process by the program. Returns an errno value if it could not. Makes no heap
// allocation, so that a forked child may call it.
class Exec {
 public:
  explicit Exec(const Launch& launch);
  int operator()() const;

 private:
  const Launch& launch_;
  std::vector<char*> words_;
  std::vector<char*> shell_words_;  // "/bin/sh" and the script, for a text without a "#!" line
  std::vector<char*> environment_;
  bool shell_text_;
};

// The sentence for an errno value from Exec.
[[noreturn]] void throw_exec_failure(const Launch& launch, int error);

}  // namespace heaprake::cli
