// Times and ages as people say them.
#pragma once

#include <cstdint>
#include <string>

namespace heaprake::cli {

std::string duration_words(uint64_t milliseconds);  // "120 ms", "2.5 s", "3 min 5 s", "2 h 10 min"
std::string local_time(uint64_t realtime_ns);       // "2026-11-23 06:22:05", "" for 0
std::string utc_time(uint64_t realtime_ns);         // "2026-11-23T06:22:05Z", "" for 0

}  // namespace heaprake::cli
