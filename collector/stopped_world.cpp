#include "collector/stopped_world.h"

#include "collector/cycle.h"

namespace heaprake::collector {

namespace {

const char* problem_of(platform::StopOutcome outcome) {
  switch (outcome) {
    case platform::StopOutcome::kStopped:
      return "";
    case platform::StopOutcome::kUnstoppable:
      return "a thread could not be stopped in time";
    case platform::StopOutcome::kNoThreadList:
      return "the threads of the process could not be listed";
    case platform::StopOutcome::kNoProc:
      return "/proc is not mounted, so neither threads nor mappings can be listed";
    case platform::StopOutcome::kOtherProc:
      return "/proc is not mounted anew in this PID namespace, so threads cannot be listed";
    case platform::StopOutcome::kForeign:
      return "another process shares this one's memory";
  }
  return "";
}

}  // namespace

StoppedWorld::StoppedWorld(const platform::StoppedThread& self, RootSet& roots, bool with_names)
    : began_ns_(platform::monotonic_ns()) {
  platform::StopOutcome outcome = platform::stop_world(self, &world_);
  problem_ = problem_of(outcome);
  lasting_ =
      outcome == platform::StopOutcome::kNoProc || outcome == platform::StopOutcome::kOtherProc;
  stopped_ = outcome == platform::StopOutcome::kStopped;
  if (!stopped_) return;
  opened_ = space_.open();
  if (!opened_) {
    problem_ = "the memory of the process could not be listed";
    return;
  }
  if (state.userfault.load(std::memory_order_relaxed) && space_.waits_for_program()) {
    problem_ = "memory under userfaultfd";
    return;
  }
  ok_ = roots.build(world_, space_, with_names);
  if (!ok_) problem_ = roots.gap() ? roots.gap() : "not all roots could be read";
}

void StoppedWorld::resume() {
  if (opened_) space_.close();
  opened_ = false;
  if (stopped_) platform::resume_world();
  stopped_ = false;
}

}  // namespace heaprake::collector
