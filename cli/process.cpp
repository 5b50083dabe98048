#include "cli/process.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/failure.h"
#include "cli/option_table.h"
#include "cli/text.h"
#include "heaprake/protocol.h"

namespace heaprake::cli {

namespace {

std::string user_name(uid_t user) {
  const passwd* entry = getpwuid(user);
  return entry ? entry->pw_name : "user " + std::to_string(user);
}

std::vector<pid_t> numbered_entries(const std::string& directory) {
  std::vector<pid_t> ids;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    uint64_t id = 0;
    if (parse_number(at->path().filename().string(), &id) && id <= INT_MAX)
      ids.push_back(static_cast<pid_t>(id));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  for (size_t i = 0; i < text.size();) {
    const size_t end = std::min(text.find('\0', i), text.size());
    words.push_back(text.substr(i, end - i));
    i = end + 1;
  }
  return words;
}

std::string directory_of(pid_t pid) {
  return "/proc/" + std::to_string(pid);
}

std::string read_file(const std::string& path, int* error) {
  std::string text;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  *error = fd < 0 ? errno : 0;
  char buffer[16384];
  while (*error == 0) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) *error = errno;
    if (n <= 0) break;
    text.append(buffer, static_cast<size_t>(n));
  }
  if (fd >= 0) close(fd);
  return text;
}

bool has_ended(const ProcessStatus& status) {
  return status.state == 'Z' || status.state == 'X';
}

bool has_ended(const std::string& directory) {
  int error = 0;
  return has_ended(parse_status(read_file(directory + "/status", &error)));
}

// Where the process's own files tell something: a main thread that has ended before the others has
// no memory of its own, and its files are empty.
std::string living_directory(pid_t pid) {
  const std::string directory = directory_of(pid);
  if (!has_ended(directory)) return directory;
  for (pid_t thread : numbered_entries(directory + "/task")) {
    const std::string task = directory + "/task/" + std::to_string(thread);
    if (thread != pid && !has_ended(task)) return task;
  }
  return directory;
}

// Whether `wanted` holds for a line of the map that names the library: "libheaprake.so" or
// "libheaprake.so.1 (deleted)", but not "libheaprake.so/..." or "...sorry".
template <class Wanted>
bool any_mapping_of_library(std::string_view maps, Wanted wanted) {
  static constexpr std::string_view kName = "/libheaprake.so";
  while (!maps.empty()) {
    const std::string_view line = maps.substr(0, maps.find('\n'));
    maps.remove_prefix(std::min(line.size() + 1, maps.size()));
    const size_t at = line.rfind(kName);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = line.substr(at + kName.size());
    const bool named = rest.empty() || rest[0] == '.' || rest[0] == ' ';
    if (named && rest.find('/') == std::string_view::npos && wanted(line)) return true;
  }
  return false;
}

// One that is the first process's too is made for programs in general, ours included: the library
// does not mind it.
bool has_filter_of_its_own(const ProcessStatus& status) {
  if (status.seccomp == 0) return false;
  const ProcessStatus first = status_of(1);
  return first.seccomp != status.seccomp || first.filters != status.filters;
}

}  // namespace

pid_t parse_pid(const std::string& text) {
  uint64_t number = 0;
  if (!parse_number(text, &number) || number == 0 || number > INT_MAX)
    throw Failure(kExitUsage, shell_quoted(printable(text)) + " is not a process id");
  return static_cast<pid_t>(number);
}

std::string read_proc(pid_t pid, const std::string& file, int* error) {
  return read_file(living_directory(pid) + "/" + file, error);
}

ProcessStatus parse_status(const std::string& text) {
  ProcessStatus status;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const size_t tab = line.find_first_not_of(" \t", std::min(line.find(':') + 1, line.size()));
    if (tab == std::string::npos) continue;
    const char* value = line.c_str() + tab;
    if (line.starts_with("State:")) status.state = *value;
    if (line.starts_with("Tgid:")) status.group = std::atoi(value);
    // Real, effective, saved, filesystem.
    if (line.starts_with("Uid:")) {
      char* next = nullptr;
      std::strtoul(value, &next, 10);
      status.user = static_cast<uid_t>(std::strtoul(next, nullptr, 10));
    }
    if (line.starts_with("SigCgt:")) status.caught = std::strtoull(value, nullptr, 16);
    if (line.starts_with("VmRSS:")) status.resident = std::strtoull(value, nullptr, 10) * 1024;
    if (line.starts_with("Seccomp:")) status.seccomp = std::atoi(value);
    if (line.starts_with("Seccomp_filters:")) status.filters = std::atoi(value);
  }
  return status;
}

ProcessStatus status_of(pid_t pid) {
  int error = 0;
  return parse_status(read_proc(pid, "status", &error));
}

bool maps_name_library(const std::string& maps) {
  return any_mapping_of_library(maps, [](std::string_view) { return true; });
}

bool maps_show_readiness(const std::string& maps) {
  return any_mapping_of_library(maps, [](std::string_view line) {
    const size_t space = std::min(line.find(' '), line.size());
    return line.substr(space).starts_with(" " HEAPRAKE_READY_PERMISSIONS " ");
  });
}

bool runs_under_heaprake(pid_t pid) {
  int error = 0;
  return maps_name_library(read_proc(pid, "maps", &error));
}

std::vector<std::string> command_line(pid_t pid) {
  int error = 0;
  std::vector<std::string> words = split_words(read_proc(pid, "cmdline", &error));
  // A program that has written a title over its arguments leaves the rest of them zero.
  while (words.size() > 1 && words.back().empty()) words.pop_back();
  return words;
}

namespace {

// "" also where there are none.
std::string options_in(const std::vector<std::string>& variables) {
  static constexpr std::string_view kName = "HEAPRAKE_OPTIONS=";
  for (const std::string& variable : variables)
    if (variable.starts_with(kName)) return variable.substr(kName.size());
  return "";
}

std::string options_of(pid_t pid, int* error) {
  return options_in(split_words(read_proc(pid, "environ", error)));
}

// Each is a name and a value; no longer so where a program has written something else over them.
bool is_environment(const std::vector<std::string>& variables) {
  return std::all_of(variables.begin(), variables.end(), [](const std::string& variable) {
    const size_t equals = variable.find('=');
    return equals != std::string::npos && equals > 0 &&
           variable.find(' ') >= equals;  // no name has one
  });
}

}  // namespace

std::string mode_of(pid_t pid) {
  int error = 0;
  const std::string environment = read_proc(pid, "environ", &error);
  if (error != 0) return "";
  const std::vector<std::string> variables = split_words(environment);
  const std::string options = options_in(variables);
  // A title that the program has written over it may have covered them.
  if (options.empty() && !is_environment(variables)) return "";
  return option_value(options, "mode");
}

std::vector<pid_t> processes_with_option(const std::string& text) {
  std::vector<pid_t> found;
  for (pid_t pid : all_processes()) {
    int error = 0;
    if (options_of(pid, &error).find(text) != std::string::npos && runs_under_heaprake(pid))
      found.push_back(pid);
  }
  return found;
}

std::vector<pid_t> threads_of(pid_t pid) {
  const std::string directory = directory_of(pid);
  std::vector<pid_t> threads = numbered_entries(directory + "/task");
  const auto main_thread = std::find(threads.begin(), threads.end(), pid);
  if (main_thread == threads.end()) return threads;
  if (has_ended(directory))
    threads.erase(main_thread);
  else
    std::rotate(threads.begin(), main_thread, main_thread + 1);
  return threads;
}

std::vector<pid_t> all_processes() {
  return numbered_entries("/proc");
}

void check_reachable(pid_t pid) {
  const std::string process = "process " + std::to_string(pid);
  const ProcessStatus status = status_of(pid);
  if (status.state == 0) throw Failure(kExitFailure, "there is no process " + std::to_string(pid));
  if (status.group != pid)
    throw Failure(kExitFailure, std::to_string(pid) + " is a thread of process " +
                                    std::to_string(status.group) + ": name the process");
  if (has_ended(status))
    throw Failure(kExitFailure, process + " has ended and waits for its parent");
  const uid_t self = geteuid();
  if (self != 0 && status.user != self)
    throw Failure(kExitFailure, process + " belongs to " + user_name(status.user) +
                                    ": ask as that user or as root");
  int error = 0;
  const std::string maps = read_proc(pid, "maps", &error);
  if (error != 0)
    throw Failure(kExitFailure, "the memory map of " + process + " may not be read (" +
                                    std::strerror(error) + (self == 0 ? ")" : "): ask as root"));
  if (!maps_name_library(maps))
    throw Failure(kExitFailure, process +
                                    " does not run under heaprake: 'heaprake ps' lists those "
                                    "that do, 'heaprake run -- PROGRAM' starts one");
  if (status.state == 'T' || status.state == 't')
    throw Failure(kExitFailure, process + " is stopped and cannot answer: continue it first");
  const std::string deaf = process + " runs under heaprake but does not take requests: ";
  if (mode_of(pid) == "off") throw Failure(kExitFailure, deaf + "it was started with mode=off");
  // libc may have a handler of that signal, too, which says nothing; what the program waits for
  // would end with EINTR.
  if (maps_show_readiness(maps) && (status.caught >> (HEAPRAKE_SIGNAL - 1) & 1) != 0) return;
  if (has_filter_of_its_own(status))
    throw Failure(kExitFailure, deaf +
                                    "it has a seccomp filter, which might end it for a system call "
                                    "that an answer takes (see option filtered)");
  throw Failure(kExitFailure,
                deaf + "it is still starting, or has found no address space for its heap");
}

}  // namespace heaprake::cli
