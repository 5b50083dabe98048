// Stopping the world, and letting it go on.
//
//   flag up, membarrier -> list the threads; note those in regions, signal the others -> wait for
//   the answers -> again, until the kernel counts no thread that does not stand still
#include <linux/membarrier.h>

#include "platform/deferred_signals.h"
#include "platform/futex.h"
#include "platform/inherited_filter.h"
#include "platform/locked_memory.h"
#include "platform/own_ranges.h"
#include "platform/spare.h"
#include "platform/stop_roll.h"
#include "platform/stop_signal.h"
#include "platform/syscall.h"
#include "platform/task_list.h"

namespace heaprake::platform {
namespace {

constexpr uint64_t kMillisecond = 1000000;
constexpr uint64_t kSilenceLimit = 100 * kMillisecond;  // nobody answers any more
constexpr uint64_t kTotalLimit = 2000 * kMillisecond;
// The list of threads may miss one while others end. Normally the kernel's count settles it. Where
// there is no count, or it includes threads that are just ending or the kernel's own, so many lists
// in a row must show nobody new.
constexpr int kQuietPasses = 20;

StopRoll roll;

class Stopper {
 public:
  Stopper(const StoppedThread& self, uint32_t generation, uint64_t start)
      : self_(self), generation_(generation), start_(start), trusted_(handlers_are_trusted()) {}

  StopOutcome run(const TaskList& tasks) {
    for (int quiet = 0; quiet < kQuietPasses;) {
      const size_t before = roll.size();
      bool found_self = false;
      bool stoppable = true;
      const bool listed = tasks.for_each([&](int tid) {
        if (tid == self_.tid) {
          found_self = true;
          return true;
        }
        return stoppable = meet(tasks, tid);
      });
      if (!stoppable) return StopOutcome::kUnstoppable;
      if (!listed || !found_self) return why_not_listed(tasks);
      if (!wait_for_answers(tasks)) return StopOutcome::kUnstoppable;
      if (all_stand_still(tasks)) return StopOutcome::kStopped;
      quiet = roll.size() == before ? quiet + 1 : 0;
      if (monotonic_ns() - start_ > kTotalLimit) return StopOutcome::kUnstoppable;
      sys::call(SYS_sched_yield);
    }
    return StopOutcome::kStopped;
  }

 private:
  // A list may miss a thread, but not by its name.
  StopOutcome why_not_listed(const TaskList& tasks) const {
    const bool known = tasks.examine(self_.tid) != TaskKind::kGone;
    return known ? StopOutcome::kNoThreadList : StopOutcome::kOtherProc;
  }

  bool in_region(const ThreadRecord& record) const {
    return trusted_ && record.state.load(std::memory_order_acquire) == kSafe;
  }

  // Puts a thread on the roll, if it is new. false if it cannot be stopped.
  bool meet(const TaskList& tasks, int tid) {
    ThreadRecord* record = make_record(tid);
    if (record == nullptr) return false;
    if (record->accounted == generation_) return true;
    Standing standing = Standing::kSignalled;
    if (in_region(*record)) {
      standing = Standing::kInRegion;
    } else if (record->suspect && (standing = look_at(tasks, tid)) == Standing::kGone) {
      return true;
    }
    if (standing == Standing::kSignalled) {
      record->suspect = false;
      switch (send_stop_signal(self_process(), tid, generation_)) {
        case Sent::kYes:
          break;
        case Sent::kNoSuchThread:
          return true;
        case Sent::kRefused:
          undirected_ = true;
          break;
      }
    }
    record->accounted = generation_;
    return roll.add({tid, standing, record});
  }

  static int self_process() { return stop_state.process.load(std::memory_order_relaxed); }

  // What a thread that does not answer is.
  static Standing look_at(const TaskList& tasks, int tid) {
    switch (tasks.examine(tid)) {
      case TaskKind::kGone:
        return Standing::kGone;
      case TaskKind::kDead:
        return tid == self_process() ? Standing::kDead : Standing::kGone;
      case TaskKind::kKernel:
        return Standing::kKernel;
      case TaskKind::kAlive:
        break;
    }
    return Standing::kSignalled;
  }

  // Notes who stands still by now; returns how many answers are still due. A thread that was
  // signalled may also have entered a region with the signal pending: it stays there.
  uint32_t update() const {
    uint32_t due = 0;
    for (StopRoll::Entry& entry : roll) {
      if (entry.standing != Standing::kSignalled) continue;
      if (entry.record->acknowledged.load(std::memory_order_acquire) == generation_) {
        entry.standing = Standing::kAnswered;
      } else if (in_region(*entry.record)) {
        entry.standing = Standing::kInRegion;
      } else {
        ++due;
      }
    }
    return due;
  }

  static void examine_silent(const TaskList& tasks) {
    for (StopRoll::Entry& entry : roll) {
      if (entry.standing != Standing::kSignalled) continue;
      entry.standing = look_at(tasks, entry.tid);
      if (entry.standing != Standing::kSignalled) {
        entry.record->suspect = true;
        // Should the id turn up again, it is another thread's.
        if (entry.standing == Standing::kGone) entry.record->accounted = 0;
      }
    }
  }

  // Asks for the answers that are due, if that needs to be said again; returns how many may come.
  uint32_t ask(uint32_t due) const {
    if (!undirected_) return due;
    return send_undirected_stop_signal(self_process(), generation_) ? 1 : 0;
  }

  bool wait_for_answers(const TaskList& tasks) const {
    uint64_t patience = kMillisecond;
    uint64_t last_answer = monotonic_ns();
    uint32_t least_due = UINT32_MAX, last_answers = 0;
    for (;;) {
      const uint32_t answers = stop_state.answers.load();
      const uint32_t due = update();
      if (due == 0) return true;
      const uint32_t expected = ask(due);
      if (expected == 0) return false;
      // Whoever is still due counts after `answers` was read, so this many cannot be missed.
      stop_state.awaited.store(answers + expected);
      const uint32_t now = stop_state.answers.load();
      if (static_cast<int32_t>(now - (answers + expected)) < 0)
        futex_wait(&stop_state.answers, now, patience);
      const uint64_t time = monotonic_ns();
      if (due < least_due || answers != last_answers) {
        least_due = due;
        last_answers = answers;
        last_answer = time;
        continue;
      }
      if (time - last_answer < patience) continue;
      if (time - last_answer > kSilenceLimit || time - start_ > kTotalLimit) return false;
      examine_silent(tasks);
      if (patience < 16 * kMillisecond) patience *= 2;
    }
  }

  // Whether the kernel counts exactly the threads that are known to stand still, and the caller. A
  // kernel worker may end just when an unknown thread begins, so its presence spoils the count.
  static bool all_stand_still(const TaskList& tasks) {
    if (roll.count(Standing::kKernel) != 0) return false;
    const size_t known = 1 + roll.count(Standing::kAnswered) + roll.count(Standing::kInRegion) +
                         roll.count(Standing::kDead);
    return tasks.count() == known;
  }

  const StoppedThread& self_;
  const uint32_t generation_;
  const uint64_t start_;
  const bool trusted_;
  bool undirected_ = false;  // some could not be sent a signal of their own
};

uint32_t raise_flag() {
  const uint32_t generation = stop_state.generation.fetch_add(1) + 1;
  stop_state.awaited.store(stop_state.answers.load() + INT32_MAX);
  heaprake_region_flags.fetch_or(kStopping);
  sys::call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  return generation;
}

void register_membarrier() {
  if (is_quiet()) return;
  const long result = sys::call(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
  if (sys::failed(result)) heaprake_region_flags.fetch_or(kNeedFence);
}

}  // namespace

StopOutcome stop_world(const StoppedThread& self, World* world) {
  const uint64_t start = monotonic_ns();
  if (process_id() != stop_state.process.load(std::memory_order_relaxed) ||
      stop_state.foreign_sharer.load(std::memory_order_relaxed) || stop_state.vforks.load() != 0)
    return StopOutcome::kForeign;
  TaskList tasks;
  if (!tasks.open()) return tasks.is_missing() ? StopOutcome::kNoProc : StopOutcome::kNoThreadList;
  install_stop_signal();
  roll.clear();
  const uint32_t generation = raise_flag();
  StopOutcome outcome = Stopper(self, generation, start).run(tasks);
  tasks.close();
  if (outcome == StopOutcome::kStopped && !roll.describe(self, &world->threads, &world->count))
    outcome = StopOutcome::kUnstoppable;
  if (outcome != StopOutcome::kStopped) {
    resume_world();
    return outcome;
  }
  world->stop_ns = monotonic_ns() - start;
  return StopOutcome::kStopped;
}

void resume_world() {
  let_main_take_first();
  heaprake_region_flags.fetch_and(~kStopping);
  stop_state.generation.fetch_add(1);
  futex_wake(&stop_state.generation, INT32_MAX);
}

void start_threads() {
  stop_state.process.store(process_id(), std::memory_order_relaxed);
  register_membarrier();
}

void reset_threads_after_fork() {
  own_ranges::reset_after_fork();
  spare::reset_after_fork();
  locked_memory::reset_after_fork();
  heaprake_region_flags.fetch_and(~kStopping);
  stop_state.generation.fetch_add(1);
  stop_state.foreign_sharer.store(false, std::memory_order_relaxed);
  stop_state.vforks.store(0);
  forget_records();
  forget_deferred_after_fork();
  forget_copies_after_fork();
  if (is_quiet()) learn_quiet_process_id();
  start_threads();
}

void note_vfork(int change) {
  stop_state.vforks.fetch_add(change);
}

void note_foreign_sharer() {
  stop_state.foreign_sharer.store(true, std::memory_order_relaxed);
}

}  // namespace heaprake::platform
