// The text of /proc/self/maps: no text does harm, and how it is cut into pieces changes nothing.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "platform/maps_parser.h"

namespace {

using heaprake::platform::Mapping;
using heaprake::platform::MapsReader;

struct Seen {
  std::vector<std::string> mappings;
  bool malformed = false;
  bool operator==(const Seen&) const = default;
};

Seen read(const char* text, size_t size, size_t piece) {
  auto reader = std::make_unique<MapsReader>();
  Seen seen;
  auto visit = [&](const Mapping& mapping) {
    if (mapping.range.lo > mapping.range.hi) std::abort();
    seen.mappings.push_back(std::to_string(mapping.range.lo) + "-" +
                            std::to_string(mapping.range.hi) + " " + mapping.name);
    return true;
  };
  for (size_t at = 0;;) {
    const size_t length = std::min({piece, size - at, reader->room()});
    std::memcpy(reader->space(), text + at, length);
    at += length;
    const auto result = reader->consume(length, length == 0, visit);
    seen.malformed = result == MapsReader::Result::kMalformed;
    if (seen.malformed || length == 0) return seen;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto* text = reinterpret_cast<const char*>(data);
  const Seen whole = read(text, size, 4096);
  if (!(read(text, size, 7) == whole)) std::abort();
  return 0;
}
