#include "shim/exit.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/export.h"
#include "shim/fork.h"
#include "shim/line.h"
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
std::atomic<int> reporting_process{0};
void (*real_exit)(int) = nullptr;

// Several processes may be told the same path. A forked child leaves it to its parent.
bool file_is_ours(const Output& output) {
  return output.to_error || output.names_process() || !was_forked();
}

void say_unreachable(const collector::Outcome& found) {
  Line line;
  if (found.completed) {
    line << "heaprake: hunt: " << found.blocks << " blocks (" << found.bytes
         << " bytes) are unreachable; `heaprake hunt -- PROGRAM` tells which.\n";
  } else {
    line << "heaprake: hunt: the memory could not be examined, nothing is known.\n";
  }
  line.to_error();
}

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

void hunt_at_exit(const platform::CallContext* context, void* leaving) {
  platform::CallContext handlers{};
  if (*static_cast<Leaving*>(leaving) == Leaving::kAfterHandlers) {
    handlers = context_after_handlers();
    if (handlers.sp) context = &handlers;
  }
  platform::StoppedThread self = platform::thread_of_call(*context);
  const Output& snapshot = settings().snapshot;
  if (!snapshot.on()) {
    say_unreachable(collector::collect(collector::Reason::kExit, self));
    return;
  }
  if (!file_is_ours(snapshot)) return;
  int fd = open_output(snapshot);
  if (fd < 0) return;
  collector::Outcome found;
  if (!collector::write_snapshot(fd, self, &found, [] {})) {
    Line line;
    line << "heaprake: the snapshot in " << snapshot.path << " is incomplete.\n";
    line.to_error();
  }
  close_output(fd);
}

// Not from a sandbox of the program's making: the calls that it takes may end the process.
void report_at_exit(Leaving leaving) {
  if (collector::is_barred()) return;
  int process = platform::process_id();
  if (process != home_process() || reporting_process.exchange(process) == process) return;
  if (collector::mode() == collector::Mode::kHunt) heaprake_with_context(hunt_at_exit, &leaving);
  tell_end();
  const Output& stats = settings().stats;
  if (!stats.on() || !file_is_ours(stats)) return;
  int fd = open_output(stats);
  if (fd < 0) return;
  write_summary(fd);
  close_output(fd);
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
