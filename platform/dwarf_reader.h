// Reading DWARF's encodings of numbers and addresses. A reader that runs over its end, or meets an
// encoding that it does not know, reads zeros from then on and says so.
#pragma once

#include <cstdint>
#include <cstring>

namespace heaprake::platform {

class DwarfReader {
 public:
  DwarfReader(const uint8_t* from, const uint8_t* end) : at_(from), end_(end) {}

  bool ok() const { return ok_; }
  bool at_end() const { return at_ >= end_ || !ok_; }
  const uint8_t* at() const { return at_; }
  const uint8_t* end() const { return end_; }
  void fail() { ok_ = false; }

  void skip(uint64_t bytes) {
    if (bytes > static_cast<uint64_t>(end_ - at_)) {
      ok_ = false;
    } else {
      at_ += bytes;
    }
  }

  template <class T>
  T fixed() {
    T value{};
    if (!ok_ || static_cast<size_t>(end_ - at_) < sizeof value) {
      ok_ = false;
      return value;
    }
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  uint64_t uleb() {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = fixed<uint8_t>();
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      if (!(byte & 0x80)) return value;
    }
  }

  int64_t sleb() {
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
      byte = fixed<uint8_t>();
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      shift += 7;
    } while (byte & 0x80);
    if (shift < 64 && (byte & 0x40)) value |= ~uint64_t{0} << shift;
    return static_cast<int64_t>(value);
  }

  // DW_EH_PE_*: `data_base` is what DW_EH_PE_datarel is relative to. Indirect ones are not
  // followed.
  uintptr_t encoded(uint8_t encoding, uintptr_t data_base) {
    const auto here = reinterpret_cast<uintptr_t>(at_);
    const uintptr_t value = encoded_number(encoding & 0x0f);
    switch (encoding & 0x70) {
      case 0x00:
        return value;
      case 0x10:
        return value + here;
      case 0x30:
        return value + data_base;
      default:
        ok_ = false;
        return 0;
    }
  }
  // The number alone, as for a length.
  uintptr_t encoded_number(uint8_t format) {
    switch (format) {
      case 0x00:
      case 0x04:
      case 0x0c:
        return fixed<uint64_t>();
      case 0x01:
        return uleb();
      case 0x02:
        return fixed<uint16_t>();
      case 0x03:
        return fixed<uint32_t>();
      case 0x09:
        return static_cast<uintptr_t>(sleb());
      case 0x0a:
        return static_cast<uintptr_t>(int64_t{fixed<int16_t>()});
      case 0x0b:
        return static_cast<uintptr_t>(int64_t{fixed<int32_t>()});
      default:
        ok_ = false;
        return 0;
    }
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
  bool ok_ = true;
};

}  // namespace heaprake::platform
