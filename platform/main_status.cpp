#include "platform/main_status.h"

#include "platform/smaps.h"

namespace heaprake::platform {
namespace {

uint64_t read_hex(const char* text) {
  uint64_t value = 0;
  for (;; ++text) {
    const char c = *text;
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && (c < 'a' || c > 'f')) return value;
    value = value << 4 | static_cast<uint64_t>(is_digit ? c - '0' : c - 'a' + 10);
  }
}

}  // namespace

bool read_main_status(MainStatus* status) {
  *status = {};
  int found = 0;
  // The text after the name, which ends with a character that is no digit.
  const auto after = [&](char* line, size_t length, const char* name) -> const char* {
    line[length] = 0;
    size_t at = 0;
    while (name[at] != 0 && line[at] == name[at]) ++at;
    if (name[at] != 0) return nullptr;
    ++found;
    return line + at;
  };
  for_each_line_of("/proc/self/status", [&](char* line, size_t length) {
    if (const char* state = after(line, length, "State:\t"))
      status->is_able = *state == 'R' || *state == 'S';
    if (const char* set = after(line, length, "ShdPnd:\t")) status->pending = read_hex(set);
    if (const char* set = after(line, length, "SigBlk:\t")) status->blocked = read_hex(set);
    return found < 3;
  });
  return found == 3;
}

}  // namespace heaprake::platform
