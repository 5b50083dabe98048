#include "shim/hunt_signals.h"

#include "shim/exit.h"
#include "shim/fork.h"
#include "shim/hunt.h"
#include "shim/options.h"
#include "shim/processes.h"
#include "shim/signals.h"

namespace heaprake::shim {
namespace {

// Signals that ask a process to end. Not those that tell of a fault: a core dump is worth more.
constexpr int kDeadly[] = {SIGHUP, SIGINT, SIGTERM};

bool hunting = false;

bool memory_is_ours() {
  return !in_vfork_child() && platform::process_id() == home_process();
}

void end(int signal, siginfo_t*, void* context) {
  if (memory_is_ours()) report_when_killed(platform::thread_of_ucontext(context));
  platform::die_of(signal);
}

// before_handler does the work.
void nothing(int) {}

// With SA_SIGINFO the kernel passes all three arguments.
const auto kEnd = reinterpret_cast<sighandler_t>(reinterpret_cast<void (*)()>(&end));

}  // namespace

void start_hunt_signals() {
  hunting = true;
  // The kernel keeps such signals from the first process of a container as long as it has no
  // handler.
  const bool first = platform::process_id() == 1;
  for (int signal : kDeadly) {
    if (!first) stand_in_if_default(signal);
  }
  const auto asking = static_cast<int>(settings().on_signal);
  if (asking) stand_in_if_default(asking);
}

sighandler_t stand_in_for(int signal) {
  if (!hunting) return SIG_DFL;
  if (static_cast<unsigned>(signal) == settings().on_signal) return &nothing;
  if (platform::process_id() == 1) return SIG_DFL;
  for (int deadly : kDeadly) {
    if (signal == deadly) return kEnd;
  }
  return SIG_DFL;
}

bool is_stand_in(sighandler_t handler) {
  return handler == kEnd || handler == &nothing;
}

void before_handler(int signal, const void* ucontext) {
  if (!hunting || static_cast<unsigned>(signal) != settings().on_signal || !memory_is_ours())
    return;
  examine_meanwhile(platform::thread_of_ucontext(ucontext), false);
}

}  // namespace heaprake::shim
