#include "cli/report/duration.h"

#include <cstdio>
#include <ctime>

namespace heaprake::cli {

std::string duration_words(uint64_t milliseconds) {
  const auto number = [](uint64_t n) { return std::to_string(n); };
  if (milliseconds < 1000) return number(milliseconds) + " ms";
  const uint64_t seconds = milliseconds / 1000;
  if (seconds < 60) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(milliseconds / 100) / 10);
    return text;
  }
  if (seconds < 3600) return number(seconds / 60) + " min " + number(seconds % 60) + " s";
  if (seconds < 86400) return number(seconds / 3600) + " h " + number(seconds % 3600 / 60) + " min";
  return number(seconds / 86400) + " d " + number(seconds % 86400 / 3600) + " h";
}

namespace {

std::string formatted(uint64_t realtime_ns, const char* format,
                      struct tm* (*convert)(const time_t*, struct tm*)) {
  if (realtime_ns == 0) return "";
  const auto seconds = static_cast<time_t>(realtime_ns / 1000000000);
  struct tm parts {};
  char text[64];
  if (!convert(&seconds, &parts) || std::strftime(text, sizeof text, format, &parts) == 0)
    return "";
  return text;
}

}  // namespace

std::string local_time(uint64_t realtime_ns) {
  return formatted(realtime_ns, "%Y-%m-%d %H:%M:%S", localtime_r);
}

std::string utc_time(uint64_t realtime_ns) {
  return formatted(realtime_ns, "%Y-%m-%dT%H:%M:%SZ", gmtime_r);
}

}  // namespace heaprake::cli
