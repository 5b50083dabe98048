#include "cli/hunt_checks.h"

#include "cli/failure.h"
#include "cli/report/duration.h"
#include "cli/snapshot.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

constexpr std::chrono::milliseconds kLookAgain{300};  // for files that the program has written

}  // namespace

HuntChecks::HuntChecks(const CheckPlan& plan, const Outputs& outputs, const HuntFiles& files,
                       std::function<void(const std::string& text)> tell)
    : plan_(plan), outputs_(outputs), files_(files), tell_(std::move(tell)) {}

void HuntChecks::start(pid_t pid) {
  if (!plan_.any()) return;
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
    const Clock::time_point again =
        plan_.on_signal ? Clock::now() + kLookAgain : Clock::time_point::max();
    const Clock::time_point until = std::min(due, again);
    const auto stopped = [this] { return stopping_; };
    if (until == Clock::time_point::max())
      changed_.wait(lock, stopped);
    else
      changed_.wait_until(lock, until, stopped);
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
  while (plan_.on_signal) {
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
  if (!last_.empty()) tell_last_held(&report, last_.string());
  outputs_.refine(&report);
  report.known.resize(report.findings.lost.size());
  for (size_t i = 0; i < report.findings.lost.size(); ++i) {
    const bool fresh = seen_.insert(fingerprint(report, report.findings.lost[i])).second;
    report.known[i] = report.known[i] || !fresh;
  }
  report.known_since = "told before";
  const uint64_t uptime = report.snapshot->header.uptime_ms;
  checks_.push_back(
      {uptime, report.findings.blocks, report.findings.bytes, report.findings.structures});
  std::error_code error;
  if (!last_.empty()) std::filesystem::remove(last_, error);
  last_ = snapshot;
  tell_("heaprake: check " + std::to_string(checks_.size()) + ", " + duration_words(uptime) +
        " after the start of process " + std::to_string(report.pid) + ":\n" +
        outputs_.text(report, false));
  return true;
}

std::chrono::milliseconds parse_interval(const std::string& option, const std::string& value) {
  const size_t digits = std::min(value.find_first_not_of("0123456789"), value.size());
  const std::string unit = value.substr(digits);
  uint64_t number = 0, scale = 0;
  if (unit == "ms") scale = 1;
  if (unit == "s" || unit.empty()) scale = 1000;
  if (unit == "m") scale = 60'000;
  if (unit == "h") scale = 3'600'000;
  constexpr uint64_t kMost = uint64_t{366} * 24 * 3'600'000;
  if (scale == 0 || !parse_number(value.substr(0, digits), &number) || number == 0 ||
      number > kMost / scale)
    throw Failure(kExitUsage, "--" + option + "=" + printable(value) +
                                  ": a time is a number and ms, s, m or h, as in 30s");
  return std::chrono::milliseconds(number * scale);
}

}  // namespace heaprake::cli
