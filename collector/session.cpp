#include "collector/session.h"

namespace heaprake::collector {

constinit platform::Mutex collector_lock;
constinit std::atomic<bool> barred{false};

bool run_session(const platform::StoppedThread& self, Wait wait,
                 platform::FunctionRef<void()> work) {
  if (collector_lock.held_by_me() || barred.load(std::memory_order_acquire)) return false;
  const platform::SignalMask mask = platform::block_signals();
  // In the stop signal's handler all are blocked already, but not by the program.
  const bool interrupted = self.form == platform::StandForm::kSignal;
  const platform::SignalMask programs = interrupted ? platform::SignalMask{self.blocked} : mask;
  bool held = collector_lock.try_lock();
  if (!held && wait == Wait::kYes) {
    platform::enter_region(self);
    collector_lock.lock();
    platform::leave_region();
    held = true;
  }
  if (held) {
    struct Call {
      platform::SignalMask programs;
      platform::FunctionRef<void()>& work;
    } call{programs, work};
    platform::run_on_own_stack(
        [](void* arg) {
          const auto* call = static_cast<const Call*>(arg);
          platform::run_deferring(call->programs, call->work);
        },
        &call);
    collector_lock.unlock();
    platform::leave_signals_to_main(programs);
  }
  platform::restore_signals(mask);
  return held;
}

bool run_session_here(Wait wait, platform::FunctionRef<void()> work) {
  struct Call {
    Wait wait;
    platform::FunctionRef<void()>& work;
    bool ran;
  } call{wait, work, false};
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void* arg) {
        auto* call = static_cast<Call*>(arg);
        call->ran = run_session(platform::thread_of_call(*context), call->wait, call->work);
      },
      &call);
  return call.ran;
}

}  // namespace heaprake::collector
