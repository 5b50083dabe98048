// A file or directory that does not outlive this command, even if a signal ends it.
#pragma once

#include <functional>
#include <string>

namespace heaprake::cli {

// Its owner removes it, or gives it another name, before the Leftover's own end. The signals that
// end a process by default and are neither ignored nor the mark of a fault do so first, from the
// first Leftover on; the process still dies of the signal. Any thread.
class Leftover {
 public:
  // `make` creates it and returns its path: no signal comes between that and its being known here.
  // What `make` throws is passed on. A directory holds nothing but files.
  explicit Leftover(const std::function<std::string()>& make);
  ~Leftover();
  Leftover(const Leftover&) = delete;
  Leftover& operator=(const Leftover&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Leftover* next_;  // of the list of all, which the handler walks
  friend class Leftovers;
};

}  // namespace heaprake::cli
