// One message, built in a buffer of its own and written at once, so that lines of several threads
// do not mix. What does not fit is cut off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "platform/platform.h"

namespace heaprake::shim {

class Line {
 public:
  Line& operator<<(const char* text) { return append(text, std::strlen(text)); }
  Line& operator<<(uint64_t number) {
    char digits[20];
    size_t n = 0;
    do {
      digits[sizeof digits - ++n] = static_cast<char>('0' + number % 10);
    } while (number /= 10);
    return append(digits + sizeof digits - n, n);
  }
  Line& hex(uintptr_t number) {
    char digits[16];
    size_t n = 0;
    do {
      digits[sizeof digits - ++n] = "0123456789abcdef"[number & 15];
    } while (number >>= 4);
    return append("0x", 2).append(digits + sizeof digits - n, n);
  }
  // Milliseconds with three decimals.
  Line& milliseconds(uint64_t ns) {
    uint64_t us = ns / 1000;
    char decimals[4] = {static_cast<char>('0' + us / 100 % 10),
                        static_cast<char>('0' + us / 10 % 10), static_cast<char>('0' + us % 10), 0};
    return *this << us / 1000 << "." << decimals << " ms";
  }
  Line& append(const char* text, size_t length) {
    size_t room = sizeof text_ - length_;
    if (length > room) length = room;
    std::memcpy(text_ + length_, text, length);
    length_ += length;
    return *this;
  }

  const char* text() const { return text_; }
  size_t length() const { return length_; }
  void to_error() const { platform::write_error(text_, length_); }

 private:
  char text_[2048];
  size_t length_ = 0;
};

}  // namespace heaprake::shim
