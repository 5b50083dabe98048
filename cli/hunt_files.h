// What the processes of a hunt leave in its directory: each writes a snapshot named by its id at
// its end, or a note why it cannot, and others while it runs, with .1, .2 and so on behind that;
// where children count also a note that it has begun.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace heaprake::cli {

class HuntFiles {
 public:
  explicit HuntFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // The value of the library's option `snapshot`.
  std::string pattern() const { return (directory_ / "%p").string(); }
  std::filesystem::path at_exit(pid_t pid) const { return directory_ / std::to_string(pid); }
  // The number-th that it has written while it ran, from 1.
  std::filesystem::path meanwhile(pid_t pid, unsigned number) const;
  // Where the command puts a snapshot of its own asking.
  std::filesystem::path asked_for(unsigned number) const;
  // Processes with a snapshot at their end, or that could not write one, by id.
  std::vector<pid_t> processes() const;
  // Processes that have begun, with the programs' names, and left nothing at their end. Only where
  // children count do they say so.
  struct Silent {
    pid_t pid;
    std::string program;
  };
  std::vector<Silent> silent() const;
  // Why that process could not write its own, "" if nothing is known of that.
  std::string why_not(pid_t pid) const;

 private:
  std::string temporary_directory() const;  // in words

  std::filesystem::path directory_;
};

}  // namespace heaprake::cli
