#include "cli/report/protobuf.h"

namespace heaprake::cli {

namespace {

constexpr uint32_t kVarint = 0, kLengthDelimited = 2;  // wire types

}  // namespace

void ProtobufMessage::append_varint(std::string* to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to += static_cast<char>(value | 0x80);
  *to += static_cast<char>(value);
}

void ProtobufMessage::number(uint32_t field, uint64_t value) {
  append_varint(&bytes_, field << 3 | kVarint);
  append_varint(&bytes_, value);
}

void ProtobufMessage::text(uint32_t field, std::string_view value) {
  append_varint(&bytes_, field << 3 | kLengthDelimited);
  append_varint(&bytes_, value.size());
  bytes_ += value;
}

void ProtobufMessage::packed(uint32_t field, std::span<const uint64_t> values) {
  std::string content;
  for (uint64_t value : values) append_varint(&content, value);
  text(field, content);
}

}  // namespace heaprake::cli
