#include "cli/hunt_files.h"

#include <algorithm>
#include <string>

#include "cli/text.h"

namespace heaprake::cli {

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
    if (parse_number(entry.path().filename().string(), &pid))
      pids.push_back(static_cast<pid_t>(pid));
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

}  // namespace heaprake::cli
