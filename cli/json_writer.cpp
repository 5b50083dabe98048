#include "cli/json_writer.h"

#include <cstdio>

namespace heaprake::cli {

namespace {

// The length of the UTF-8 character that `text` begins with, 0 if it begins with none.
size_t character_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  const unsigned second = byte(1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
      (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
    return 0;
  return length;
}

}  // namespace

void JsonWriter::newline() {
  text_ += '\n';
  text_.append(levels_.size(), ' ');
}

// Two levels are laid out line by line, which keeps a report readable; what is below stands in one
// line each.
void JsonWriter::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (levels_.empty()) return;
  if (!levels_.back().empty) text_ += levels_.size() > 3 ? ", " : ",";
  levels_.back().empty = false;
  if (levels_.size() <= 3) newline();
}

JsonWriter& JsonWriter::begin(char bracket) {
  separate();
  text_ += bracket;
  levels_.emplace_back();
  return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
  const bool empty = levels_.back().empty;
  const bool lines = levels_.size() <= 3;
  levels_.pop_back();
  if (lines && !empty) newline();
  text_ += bracket;
  if (levels_.empty()) text_ += '\n';
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_string(name);
  text_ += ": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  separate();
  append_string(value);
  return *this;
}

JsonWriter& JsonWriter::number(uint64_t value) {
  separate();
  text_ += std::to_string(value);
  return *this;
}

JsonWriter& JsonWriter::signed_number(int64_t value) {
  separate();
  text_ += std::to_string(value);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  text_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  text_ += "null";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view value) {
  separate();
  while (value.ends_with('\n')) value.remove_suffix(1);
  text_ += value;
  return *this;
}

void JsonWriter::append_string(std::string_view value) {
  text_ += '"';
  while (!value.empty()) {
    const size_t length = character_length(value);
    const auto byte = static_cast<unsigned char>(value[0]);
    if (length == 0) {
      text_ += "\\ufffd";
    } else if (byte == '"' || byte == '\\') {
      text_ += '\\';
      text_ += value[0];
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      text_ += escape;
    } else {
      text_ += value.substr(0, length);
    }
    value.remove_prefix(length == 0 ? 1 : length);
  }
  text_ += '"';
}

}  // namespace heaprake::cli
