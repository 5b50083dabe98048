#include "shim/exit.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/export.h"
#include "shim/fork.h"
#include "shim/hunt.h"
#include "shim/options.h"
#include "shim/start.h"
#include "shim/summary.h"
#include "shim/telemetry.h"

extern "C" int __cxa_atexit(void (*)(void*), void*, void*) noexcept;
extern "C" int __cxa_at_quick_exit(void (*)(void*), void*) noexcept;

extern "C" __attribute__((visibility("hidden")))
heaprake::platform::CallContext heaprake_exit_context;

namespace heaprake::shim {
namespace {

uintptr_t first_frame = 0;  // the stack pointer with which the process began; 0 if unknown
void (*real_exit)(int) = nullptr;

// Several processes may be told the same path. A forked child leaves it to its parent.
bool file_is_ours(const Output& output) {
  return output.to_error || output.names_process() || !was_forked();
}

// The one report of this process: who begins it, and whether it is finished.
std::atomic<int> reporting_process{0};
std::atomic<int> reported_process{0};

// What the thread that ends the process still holds of the program's.
enum class Leaving {
  kAfterHandlers,  // exit() or main's return; the handlers' frames, ours too, are nobody's
  kAtOnce          // _exit and quick_exit: every frame above counts
};

// When main has returned, its frame is dead although its words still lie on the stack: only what
// stands above the first frame of all (arguments and environment) is left.
platform::CallContext context_after_handlers() {
  if (heaprake_exit_context.sp) return heaprake_exit_context;
  platform::CallContext context{};
  context.sp = first_frame;
  return context;
}

void write_stats() {
  tell_end();
  const Output& stats = settings().stats;
  if (!stats.on() || !file_is_ours(stats)) return;
  int fd = open_output(stats);
  if (fd < 0) return;
  const bool whole = write_summary(fd);
  close_output(fd);
  char path[PATH_MAX];
  if (!whole && path_of(stats, path)) tell_unwritable(path);
}

// With signals blocked, so that the thread does not come here again from a handler. And a handler
// that ends the process may have a stack too small for the names of files.
void report(const platform::StoppedThread& self, bool examine) {
  struct Report {
    const platform::StoppedThread& self;
    bool examine;
  } given{self, examine};
  const auto write = [](void* arg) {
    const auto& [self, examine] = *static_cast<const Report*>(arg);
    if (collector::mode() == collector::Mode::kHunt) examine_finally(self, examine);
    write_stats();
  };
  const platform::SignalMask mask = platform::block_signals();
  if (collector::mode() == collector::Mode::kHunt || settings().stats.on() ||
      settings().metrics.on())
    platform::run_on_spare_stack(write, &given);
  else
    write(&given);
  reported_process.store(platform::process_id());
  platform::restore_signals(mask);
}

// Not from a sandbox of the program's making: the calls that it takes may end the process.
bool may_report() {
  return !collector::is_barred() && platform::process_id() == home_process();
}

bool begins_report() {
  const int process = platform::process_id();
  return reporting_process.exchange(process) != process;
}

void report_as(const platform::CallContext* context, void* leaving) {
  platform::CallContext handlers{};
  if (*static_cast<Leaving*>(leaving) == Leaving::kAfterHandlers) {
    handlers = context_after_handlers();
    if (handlers.sp) context = &handlers;
  }
  const bool hunting = collector::mode() == collector::Mode::kHunt;
  report(platform::thread_of_call(*context), hunting && !leak_checks_are_off());
}

void report_at_exit(Leaving leaving) {
  if (may_report() && begins_report()) platform::heaprake_with_context(report_as, &leaving);
}

void at_exit(void*) {
  report_at_exit(Leaving::kAfterHandlers);
}
void at_quick_exit(void*) {
  report_at_exit(Leaving::kAtOnce);
}

}  // namespace

// With no library of their own, handlers are not run when a library is closed, only at exit, in
// reverse order: ours is among the first, so nearly everything else has run by then.
void register_exit_handlers() {
  real_exit = reinterpret_cast<void (*)(int)>(dlsym(RTLD_NEXT, "_exit"));
  if (void* end = dlsym(RTLD_DEFAULT, "__libc_stack_end")) {
    first_frame = *static_cast<uintptr_t*>(end);
  }
  __cxa_atexit(at_exit, nullptr, nullptr);
  __cxa_at_quick_exit(at_quick_exit, nullptr);
}

void report_early() {
  report_at_exit(Leaving::kAtOnce);
}

// A report that another thread is about to finish is waited for: this thread ends the process.
void report_when_killed(const platform::StoppedThread& self) {
  constexpr int kPatience = 60'000;
  if (!may_report()) return;
  // In a handler the program is not asked whether it wants to be examined.
  if (begins_report()) return report(self, true);
  const int process = platform::process_id();
  for (int i = 0; i < kPatience && reported_process.load() != process; ++i) platform::sleep_ms(1);
}

[[noreturn]] void leave(int status) {
  report_at_exit(Leaving::kAtOnce);
  if (real_exit) real_exit(status);
  for (;;) syscall(SYS_exit_group, status);
}

}  // namespace heaprake::shim

HEAPRAKE_EXPORT void _exit(int status) {
  heaprake::shim::leave(status);
}
HEAPRAKE_EXPORT void _Exit(int status) noexcept {
  heaprake::shim::leave(status);
}
