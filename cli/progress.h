// How far something is that may take long.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace heaprake::cli {

// What is being done ("reading the snapshot"), and how much of how much of it is done. Empty:
// nobody wants to know. Called every few thousand steps, not at each.
using Progress = std::function<void(std::string_view step, uint64_t done, uint64_t total)>;

inline void report_progress(const Progress& progress, std::string_view step, uint64_t done,
                            uint64_t total) {
  if (progress) progress(step, done, total);
}

// A line on stderr that says it, from a second after its making on, and that goes away at its end.
// Says nothing unless stderr is a terminal.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  // Good for as long as this object is.
  Progress sink();
  // Takes the line away until the next step: something else is about to be written.
  void clear();

 private:
  void tell(std::string_view step, uint64_t done, uint64_t total);
  bool terminal_;
  int64_t next_ns_;  // CLOCK_MONOTONIC: not before then
  bool shown_ = false;
};

}  // namespace heaprake::cli
