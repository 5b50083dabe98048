#include "cli/interval.h"

#include <algorithm>

#include "cli/failure.h"
#include "cli/text.h"

namespace heaprake::cli {

std::chrono::milliseconds parse_interval(const std::string& option, const std::string& value) {
  const size_t digits = std::min(value.find_first_not_of("0123456789"), value.size());
  const std::string unit = value.substr(digits);
  uint64_t number = 0, scale = 0;
  if (unit == "ms") scale = 1;
  if (unit == "s" || unit.empty()) scale = 1000;
  if (unit == "m") scale = 60'000;
  if (unit == "h") scale = 3'600'000;
  constexpr uint64_t kMost = uint64_t{366} * 24 * 3'600'000;
  if (scale == 0 || !parse_number(value.substr(0, digits), &number) || number == 0 ||
      number > kMost / scale)
    throw Failure(kExitUsage, "--" + option + "=" + printable(value) +
                                  ": a time is a number and ms, s, m or h, as in 30s");
  return std::chrono::milliseconds(number * scale);
}

}  // namespace heaprake::cli
