// The wire format of protocol buffers, as far as a pprof profile needs it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace heaprake::cli {

// Fields may come in any order; a message inside another is a Message of its own, added whole.
class ProtobufMessage {
 public:
  void number(uint32_t field, uint64_t value);
  void text(uint32_t field, std::string_view value);
  void message(uint32_t field, const ProtobufMessage& value) { text(field, value.bytes_); }
  void packed(uint32_t field, std::span<const uint64_t> values);
  const std::string& bytes() const { return bytes_; }

 private:
  static void append_varint(std::string* to, uint64_t value);
  std::string bytes_;
};

}  // namespace heaprake::cli
