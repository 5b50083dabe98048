// Times on command lines.
#pragma once

#include <chrono>
#include <string>

namespace heaprake::cli {

// "30s", "500ms", "10m", "2h", "30" (seconds). Throws a Failure (kExitUsage) that names the option.
std::chrono::milliseconds parse_interval(const std::string& option, const std::string& value);

}  // namespace heaprake::cli
