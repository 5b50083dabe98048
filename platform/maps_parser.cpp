#include "platform/maps_parser.h"

namespace heaprake::platform {
namespace {

class Cursor {
 public:
  Cursor(char* at, char* end) : at_(at), end_(end) {}

  bool hex(uintptr_t* out) {
    const char* const start = at_;
    uintptr_t value = 0;
    for (; at_ != end_; ++at_) {
      const int digit = hex_digit(*at_);
      if (digit < 0) break;
      if (value >> 60 != 0) return false;
      value = value << 4 | static_cast<uintptr_t>(digit);
    }
    *out = value;
    return at_ != start;
  }
  bool decimal(uintptr_t* out) {
    const char* const start = at_;
    uintptr_t value = 0;
    for (; at_ != end_ && *at_ >= '0' && *at_ <= '9'; ++at_)
      value = value * 10 + static_cast<uintptr_t>(*at_ - '0');
    *out = value;
    return at_ != start;
  }
  bool literal(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  // One of two characters; *out tells whether it was the first.
  bool flag(char yes, char no, bool* out) {
    if (at_ == end_ || (*at_ != yes && *at_ != no)) return false;
    *out = *at_++ == yes;
    return true;
  }
  void spaces() {
    while (at_ != end_ && *at_ == ' ') ++at_;
  }
  char* rest() const { return at_; }

 private:
  static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  }
  char* at_;
  char* const end_;
};

bool begins(const char* text, const char* prefix) {
  while (*prefix != '\0')
    if (*text++ != *prefix++) return false;
  return true;
}

bool equal(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) ++a, ++b;
  return *a == *b;
}

// Reading a device's registers may have effects. Files of these places are devices or come from
// drivers; ordinary memory with a name among them is listed.
bool is_device(const char* name) {
  if (begins(name, "/dev/")) {
    for (const char* memory : {"/dev/shm/", "/dev/zero", "/dev/hugepages"})
      if (begins(name, memory)) return false;
    return true;
  }
  if (begins(name, "/sys/") || begins(name, "/proc/")) return true;
  if (begins(name, "anon_inode:")) return !equal(name, "anon_inode:[io_uring]");
  // The kernel's own pages: [vvar], [vdso], [vsyscall], [uprobes].
  return begins(name, "[v") || equal(name, "[uprobes]");
}

bool is_kept_in_memory(const char* name) {
  for (const char* prefix : {"/dev/zero", "/memfd:", "/SYSV", "/dev/shm/"})
    if (begins(name, prefix)) return true;
  return false;
}

}  // namespace

bool parse_maps_line(char* line, size_t length, Mapping* out) {
  *out = {};
  Cursor at(line, line + length);
  uintptr_t major, minor;
  bool is_private;
  if (!at.hex(&out->range.lo) || !at.literal('-') || !at.hex(&out->range.hi) || !at.literal(' '))
    return false;
  if (!at.flag('r', '-', &out->readable) || !at.flag('w', '-', &out->writable) ||
      !at.flag('x', '-', &out->executable) || !at.flag('p', 's', &is_private) || !at.literal(' '))
    return false;
  if (!at.hex(&out->offset) || !at.literal(' ') || !at.hex(&major) || !at.literal(':') ||
      !at.hex(&minor) || !at.literal(' ') || !at.decimal(&out->inode))
    return false;
  if (out->range.lo >= out->range.hi) return false;
  if (at.rest() != line + length && !at.literal(' ')) return false;
  at.spaces();
  line[length] = '\0';
  out->name = at.rest();
  out->shared = !is_private;
  out->file_backed = major != 0 || minor != 0 || out->inode != 0;
  out->device = is_device(out->name);
  out->kept_in_memory = is_kept_in_memory(out->name);
  out->main_stack = equal(out->name, "[stack]");
  return true;
}

MapsReader::Result MapsReader::take_line(size_t from, size_t to,
                                         FunctionRef<bool(const Mapping&)> visit) {
  if (skipping_) return Result::kMore;
  Mapping mapping;
  if (!parse_maps_line(buffer_ + from, to - from, &mapping)) return Result::kMalformed;
  return visit(mapping) ? Result::kMore : Result::kStopped;
}

MapsReader::Result MapsReader::consume(size_t length, bool end,
                                       FunctionRef<bool(const Mapping&)> visit) {
  const size_t filled = held_ + length;
  size_t from = 0;
  for (size_t at = held_; at < filled; ++at) {
    if (buffer_[at] != '\n') continue;
    const Result result = take_line(from, at, visit);
    skipping_ = false;
    if (result != Result::kMore) return result;
    from = at + 1;
  }
  held_ = filled - from;
  if (held_ == 0) return Result::kMore;
  if (end || held_ == kBufferSize) {
    const Result result = take_line(from, filled, visit);
    skipping_ = true;
    held_ = 0;
    return result;
  }
  if (from != 0) __builtin_memmove(buffer_, buffer_ + from, held_);
  return Result::kMore;
}

}  // namespace heaprake::platform
