#include "cli/hunt_files.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "cli/text.h"
#include "heaprake/snapshot.h"

namespace heaprake::cli {

namespace {

constexpr std::string_view kWhy = HEAPRAKE_HUNT_WHY;

}  // namespace

std::filesystem::path HuntFiles::meanwhile(pid_t pid, unsigned number) const {
  return directory_ / (std::to_string(pid) + "." + std::to_string(number));
}

std::filesystem::path HuntFiles::asked_for(unsigned number) const {
  return directory_ / ("check-" + std::to_string(number));
}

std::vector<pid_t> HuntFiles::processes() const {
  std::vector<pid_t> pids;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    uint64_t pid = 0;
    std::string name = entry.path().filename().string();
    if (name.ends_with(HEAPRAKE_HUNT_WHY)) name.resize(name.size() - kWhy.size());
    if (parse_number(name, &pid)) pids.push_back(static_cast<pid_t>(pid));
  }
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

std::vector<HuntFiles::Silent> HuntFiles::silent() const {
  // What has been loaded into the process comes after what it was forked from.
  std::map<pid_t, std::string> begun;
  std::error_code error;
  for (const std::string_view kind : {HEAPRAKE_HUNT_BEGAN, HEAPRAKE_HUNT_FORKED}) {
    for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
      const std::string name = entry.path().filename().string();
      uint64_t pid = 0;
      if (!name.ends_with(kind) || !parse_number(name.substr(0, name.size() - kind.size()), &pid))
        continue;
      std::error_code none;
      begun.try_emplace(static_cast<pid_t>(pid),
                        std::filesystem::read_symlink(entry.path(), none).string());
    }
  }
  for (pid_t pid : processes()) begun.erase(pid);
  std::vector<Silent> silent;
  for (const auto& [pid, program] : begun) silent.push_back({pid, program});
  return silent;
}

std::string HuntFiles::temporary_directory() const {
  return shell_quoted(directory_.parent_path().string()) + " (see TMPDIR)";
}

std::string HuntFiles::why_not(pid_t pid) const {
  std::error_code none;
  std::filesystem::path note = at_exit(pid);
  note += kWhy;
  uint64_t error = 0;
  const std::string text = std::filesystem::read_symlink(note, none).string();
  if (!none && parse_number(text, &error))
    return "the picture of its memory could not be written into " + temporary_directory() + ": " +
           (error ? std::strerror(static_cast<int>(error)) : "something failed for a moment");
  if (!std::filesystem::exists(at_exit(pid), none)) return "";
  const std::filesystem::space_info room = std::filesystem::space(directory_, none);
  constexpr uintmax_t kNext = 64 * 1024;
  if (!none && room.available < kNext)
    return "there is no room left in " + temporary_directory() + " for the picture of its memory";
  return "";
}

}  // namespace heaprake::cli
