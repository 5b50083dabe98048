// What stands in a chunk of a snapshot, taken number by number. Nothing of it is believed: whoever
// reads over the end, or finds a number that cannot be, throws Damage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace heaprake::cli {

struct Damage {
  const char* why;  // completes "the snapshot is damaged: "
};

class Payload {
 public:
  Payload(const char* content, size_t length)
      : next_(reinterpret_cast<const uint8_t*>(content)), end_(next_ + length) {}

  bool empty() const { return next_ == end_; }
  size_t left() const { return static_cast<size_t>(end_ - next_); }

  uint64_t number() {
    if (next_ != end_ && *next_ < 0x80) return *next_++;
    return long_number();
  }
  int64_t signed_number() {
    const uint64_t n = number();
    return static_cast<int64_t>((n >> 1) ^ (~(n & 1) + 1));
  }
  // A number that is at most `most`.
  uint64_t number_to(uint64_t most, const char* why) {
    const uint64_t n = number();
    if (n > most) throw Damage{why};
    return n;
  }
  // How many things follow, each of which takes at least `least` bytes: so many can be there.
  uint64_t count(size_t least) {
    const uint64_t n = number();
    if (n > left() / least) throw Damage{"a count is too large"};
    return n;
  }
  std::string_view text() {
    const uint64_t length = number();
    if (length > left()) throw Damage{"a text goes over the end of its chunk"};
    return bytes(length);
  }
  std::string_view bytes(size_t length) {
    if (length > left()) throw Damage{"a record goes over the end of its chunk"};
    const auto* start = reinterpret_cast<const char*>(next_);
    next_ += length;
    return {start, length};
  }

 private:
  uint64_t long_number() {
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (next_ == end_) throw Damage{"a record goes over the end of its chunk"};
      const uint8_t byte = *next_++;
      if (shift == 63 && byte > 1) break;
      n |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return n;
    }
    throw Damage{"a number is too large"};
  }

  const uint8_t* next_;
  const uint8_t* end_;
};

}  // namespace heaprake::cli
