#include "cli/hunt_checks.h"

#include "cli/failure.h"
#include "cli/growth_told.h"
#include "cli/opened.h"
#include "cli/report/duration.h"
#include "cli/snapshot.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

constexpr std::chrono::milliseconds kLookAgain{300};  // for files that the program has written

// What is one finding from check to check.
std::string name_of(const Report& report, const Finding& finding) {
  return fingerprint(report, finding) + " " + place_of(report, finding);
}

}  // namespace

HuntChecks::HuntChecks(const CheckPlan& plan, const Outputs& outputs, const HuntFiles& files,
                       std::function<void(const std::string& text)> tell)
    : plan_(plan), outputs_(outputs), files_(files), tell_(std::move(tell)) {}

void HuntChecks::start(pid_t pid) {
  pid_ = pid;
  thread_ = std::thread([this] { work(); });
}

void HuntChecks::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  take_those_left_behind();
}

void HuntChecks::work() {
  const bool asks = plan_.every.count() > 0 || plan_.start_after.count() > 0;
  Clock::time_point due =
      asks ? Clock::now() + (plan_.start_after.count() > 0 ? plan_.start_after : plan_.every)
           : Clock::time_point::max();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_until(lock, std::min(due, Clock::now() + kLookAgain),
                        [this] { return stopping_; });
    if (stopping_) return;
    lock.unlock();
    take_those_left_behind();
    if (Clock::now() >= due) {
      ask();
      // From the end of the check: a slow one is not followed by another at once.
      due = plan_.every.count() > 0 ? Clock::now() + plan_.every : Clock::time_point::max();
    }
    lock.lock();
  }
}

void HuntChecks::ask() {
  const std::filesystem::path file = files_.asked_for(++asked_);
  try {
    OutputFile(file.string(), false).write_by([&](int fd) {
      take_snapshot(pid_, fd, file.string());
    });
  } catch (const Failure& failure) {
    const std::lock_guard lock(mutex_);
    // It may have ended meanwhile, which is no failure.
    if (!stopping_) tell_("heaprake: no check this time: " + failure.message + "\n");
    return;
  }
  look_at(file);
}

// A file that is being written is no whole snapshot: it is looked at again later.
void HuntChecks::take_those_left_behind() {
  std::error_code error;
  while (true) {
    const std::filesystem::path file = files_.meanwhile(pid_, taken_ + 1);
    if (!std::filesystem::exists(file, error) || !look_at(file)) return;
    ++taken_;
  }
}

bool HuntChecks::look_at(const std::filesystem::path& snapshot) {
  Report report;
  try {
    report = read_report(snapshot.string(), {});
  } catch (const Failure&) {
    return false;
  }
  tell_last_held(&report);
  outputs_.refine(&report);
  report.known.resize(report.findings.lost.size());
  for (size_t i = 0; i < report.findings.lost.size(); ++i) {
    const bool fresh = seen_.insert(name_of(report, report.findings.lost[i])).second;
    report.known[i] = report.known[i] || !fresh;
  }
  report.known_since = "told before";
  const uint64_t uptime = report.snapshot->header.uptime_ms;
  checks_.push_back(
      {uptime, report.findings.blocks, report.findings.bytes, report.findings.structures});
  tell_("heaprake: check " + std::to_string(checks_.size()) + ", " + duration_words(uptime) +
        " after the start of process " + std::to_string(report.pid) + ":\n" +
        outputs_.text(report, false));
  if (plan_.growth && !last_.empty()) tell_growth(snapshot);
  // Emptied, not removed: the program takes the first number that no file has.
  std::error_code error;
  if (!last_.empty()) std::filesystem::resize_file(last_, 0, error);
  last_ = snapshot;
  return true;
}

void HuntChecks::tell_last_held(Report* report) {
  if (!last_.empty()) cli::tell_last_held(report, last_.string());
  for (Finding& finding : report->findings.lost) {
    const std::string name = name_of(*report, finding);
    if (finding.last_held)
      held_[name] = *finding.last_held;
    else if (const auto known = held_.find(name); known != held_.end())
      finding.last_held = known->second;
  }
}

void HuntChecks::tell_growth(const std::filesystem::path& snapshot) {
  try {
    const Opened before = open_snapshot(last_.string(), {});
    const Opened after = open_snapshot(snapshot.string(), {});
    GrowthTold told(before, after, GrowthTold::kUsualTop);
    growths_.push_back(told.json());
    tell_("\nheaprake: growth since the check before: " + told.text() + "\n");
  } catch (const Failure& failure) {
    tell_("heaprake: what has grown cannot be told: " + failure.message + "\n");
  }
}

}  // namespace heaprake::cli
