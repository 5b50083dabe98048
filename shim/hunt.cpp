#include "shim/hunt.h"

#include <cerrno>
#include <cstring>

#include "heaprake/snapshot.h"
#include "platform/files.h"
#include "shim/fork.h"
#include "shim/hunt_signals.h"
#include "shim/line.h"
#include "shim/options.h"

// The program's, if it has them: undefined and weak here, so that the loader binds them without a
// search at run time, which could allocate.
#define HEAPRAKE_PROGRAMS extern "C" __attribute__((weak, visibility("default")))
HEAPRAKE_PROGRAMS int __lsan_is_turned_off();
HEAPRAKE_PROGRAMS const char* __lsan_default_options();
HEAPRAKE_PROGRAMS const char* __lsan_default_suppressions();

namespace heaprake::shim {
namespace {

// Copies from the start of the process: the program's texts may change, or lie in code that is
// closed by the end.
const char* suppressions = "";
const char* options = "";
bool off_by_options = false;

const char* copy_of(const char* text) {
  const size_t bytes = text ? std::strlen(text) + 1 : 0;
  void* copy = bytes ? platform::map(bytes) : nullptr;
  return copy ? static_cast<const char*>(std::memcpy(copy, text, bytes)) : "";
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

collector::SnapshotPlan plan_for(int fd, bool all) {
  collector::SnapshotPlan plan;
  plan.fd = fd;
  plan.all = all;
  plan.inherited = settings().inherited;
  add_programs_words(&plan);
  return plan;
}

bool tells_of_all() {
  constexpr size_t kMany = 500'000;
  const auto wanted = settings().snapshot_all;
  return wanted == 1 || (wanted == 2 && heap::usage().blocks <= kMany);
}

// The name of the program, as it was at its start; it may write over it.
char program_name[64] = "?";

void leave_note_beside(const char (&path)[PATH_MAX], const char* suffix, const char* text) {
  const size_t length = std::strlen(path), more = std::strlen(suffix) + 1;
  if (length + more > PATH_MAX) return;
  char note[PATH_MAX];
  std::memcpy(note, path, length);
  std::memcpy(note + length, suffix, more);
  platform::leave_note(note, text);
}

// Not where a filter may end the process for what that takes.
bool notes_processes() {
  return settings().inherited && collector::mode() == collector::Mode::kHunt &&
         !collector::is_barred() && !platform::has_unknown_filter();
}

// So that the command knows of the process, however it ends.
void note_process(const char* suffix) {
  char path[PATH_MAX];
  if (path_of(settings().snapshot, path) && is_in_directory_of_hunt(path))
    leave_note_beside(path, suffix, program_name);
}

// Where the command looks for it; whoever else has named the file is told on stderr.
void leave_reason(const char (&path)[PATH_MAX], int error) {
  if (!is_in_directory_of_hunt(path)) return tell_unwritable(path);
  // ENOENT: the hunt is over. This process has outlived it, and nobody looks any more.
  if (error == ENOENT) return;
  Line line;
  line << static_cast<uint64_t>(error);
  char number[24] = {};
  std::memcpy(number, line.text(), line.length());
  leave_note_beside(path, HEAPRAKE_HUNT_WHY, number);
}

int open_final(const Output& snapshot) {
  char path[PATH_MAX];
  if (!path_of(snapshot, path)) return open_output(snapshot);
  int error = 0;
  const int fd = is_in_directory_of_hunt(path)
                     ? platform::open_in_own_directory(path, false, &error)
                     : platform::open_for_writing(path);
  if (fd < 0) leave_reason(path, error);
  return fd;
}

void tell_cut(const Output& snapshot, int fd) {
  char path[PATH_MAX];
  if (path_of(snapshot, path)) leave_reason(path, platform::why_not_written(fd));
}

// LeakSanitizer takes 0, no and false.
bool turns_leak_checks_off(const char* options) {
  constexpr char kName[] = "detect_leaks=";
  const char* found = std::strstr(options, kName);
  return found && std::strchr("0nf", found[sizeof kName - 1]) && found[sizeof kName - 1];
}

}  // namespace

void start_hunt() {
  if (collector::mode() != collector::Mode::kHunt) return;
  start_hunt_signals();
  if (__lsan_default_suppressions) suppressions = copy_of(__lsan_default_suppressions());
  if (__lsan_default_options) options = copy_of(__lsan_default_options());
  off_by_options = turns_leak_checks_off(options);
  if (program_invocation_short_name && *program_invocation_short_name)
    std::strncpy(program_name, program_invocation_short_name, sizeof program_name - 1);
  if (notes_processes()) note_process(HEAPRAKE_HUNT_BEGAN);
}

// The stack may be a handler's small one.
void note_forked_process() {
  if (!notes_processes()) return;
  const platform::SignalMask mask = platform::block_signals();
  platform::run_on_spare_stack([](void*) { note_process(HEAPRAKE_HUNT_FORKED); }, nullptr);
  platform::restore_signals(mask);
}

void add_programs_words(collector::SnapshotPlan* plan) {
  plan->suppressions = suppressions;
  plan->options = options;
}

bool leak_checks_are_off() {
  return off_by_options || (__lsan_is_turned_off && __lsan_is_turned_off());
}

void examine_finally(const platform::StoppedThread& self, bool examine) {
  const Output& snapshot = settings().snapshot;
  if (!snapshot.on()) {
    if (examine) say_unreachable(collector::take_snapshot(plan_for(-1, false), self, [](bool) {}));
    return;
  }
  // Several processes may be told the same path. A forked child leaves it to its parent.
  if (!snapshot.names_process() && was_forked()) return;
  const int fd = open_final(snapshot);
  if (fd < 0) return;
  collector::SnapshotPlan plan = plan_for(fd, tells_of_all());
  if (!examine) plan.why_not = "the program has turned leak checks off";
  if (collector::take_snapshot(plan, self, [](bool) {}).cut) tell_cut(snapshot, fd);
  close_output(fd);
}

collector::Outcome examine_meanwhile(const platform::StoppedThread& self, bool wait) {
  const Output& snapshot = settings().snapshot;
  const bool written = snapshot.on() && !snapshot.to_error;
  int fd = written ? open_numbered_output(snapshot) : -1;
  collector::SnapshotPlan plan = plan_for(fd, true);
  plan.copy = !wait && fd >= 0;
  const collector::Outcome outcome = collector::take_snapshot(plan, self, [](bool) {});
  if (fd < 0) say_unreachable(outcome);
  close_output(fd);
  return outcome;
}

}  // namespace heaprake::shim
