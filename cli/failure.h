// How the command says that it cannot go on: one sentence for stderr and the exit status.
#pragma once

#include <string>
#include <utility>

namespace heaprake::cli {

enum ExitStatus : int {
  kExitSuccess = 0,
  kExitFailure = 1,          // what was asked for could not be done
  kExitUsage = 2,            // the command line is wrong
  kExitLeaks = 23,           // hunt: the program ended with 0 but has lost blocks
  kExitNotExecutable = 126,  // as a shell: found, but it cannot be run, or not under heaprake
  kExitNotFound = 127,       // as a shell: there is no such program
  kExitSignalBase = 128,     // plus the signal that killed the program
};

struct Failure {
  Failure(int exit_status, std::string sentence)
      : status(exit_status), message(std::move(sentence)) {}
  int status;
  std::string message;
};

}  // namespace heaprake::cli
