// Looking at a program while it runs: every so long, and whenever it has been told to by a signal,
// or asks itself (__lsan_do_recoverable_leak_check).
// Nothing runs in the program between checks.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cli/hunt_files.h"
#include "cli/report/outputs.h"

namespace heaprake::cli {

struct CheckPlan {
  std::chrono::milliseconds every{0};        // 0: no second one
  std::chrono::milliseconds start_after{0};  // the first one; 0: after `every`
  bool on_signal = false;                    // the program is told to write some of its own
  bool growth = false;                       // tell what has grown since the check before
  bool any() const { return every.count() > 0 || start_after.count() > 0 || on_signal; }
};

// Legal order: start once, stop once, then the rest. Works on a thread of its own between the two.
class HuntChecks {
 public:
  // `tell` gets the text of each check as it comes, from that thread.
  HuntChecks(const CheckPlan& plan, const Outputs& outputs, const HuntFiles& files,
             std::function<void(const std::string& text)> tell);
  ~HuntChecks() { stop(); }
  HuntChecks(const HuntChecks&) = delete;
  HuntChecks& operator=(const HuntChecks&) = delete;

  // With all signals blocked that the command waits for: the thread is not to get them.
  void start(pid_t pid);
  // The program has ended: takes what it has left behind, and waits for a check under way.
  void stop();

  const std::vector<Check>& checks() const { return checks_; }
  // The snapshot of the last check, empty if there was none.
  const std::filesystem::path& last() const { return last_; }
  // What has grown from each check to the next, as JSON, if that was asked for.
  const std::vector<std::string>& growths() const { return growths_; }
  // Of each finding, what held such a structure at the last check that saw one reachable.
  void tell_last_held(Report* report);

 private:
  using Clock = std::chrono::steady_clock;

  void work();
  void ask();
  void take_those_left_behind();
  bool look_at(const std::filesystem::path& snapshot);
  void tell_growth(const std::filesystem::path& snapshot);

  const CheckPlan plan_;
  const Outputs& outputs_;
  const HuntFiles& files_;
  const std::function<void(const std::string&)> tell_;
  pid_t pid_ = 0;
  unsigned asked_ = 0, taken_ = 0;  // of our asking; of the program's own
  std::vector<Check> checks_;
  std::filesystem::path last_;
  std::vector<std::string> growths_;
  std::set<std::string> seen_;            // names of what earlier checks have told
  std::map<std::string, LastHeld> held_;  // by name; checks older than the last are gone
  std::mutex mutex_;                      // of stopping_
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace heaprake::cli
