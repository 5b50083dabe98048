// Runs a program as a child with libheaprake.so preloaded and tells what became of it.
#pragma once

#include <string>
#include <vector>

namespace heaprake::test {

struct Ended {
  int exit_code = -1;  // -1: killed
  int signal = 0;      // 0: not killed
  std::string out, err;
};

// `options` is the value of HEAPRAKE_OPTIONS; `first` a library to preload before ours.
Ended run_preloaded(const std::vector<std::string>& command, const std::string& options = "",
                    const std::string& first = "");
// Without the library.
Ended run_natively(const std::vector<std::string>& command);

}  // namespace heaprake::test
