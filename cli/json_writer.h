// Writes JSON as it goes, so that a report of any length needs no tree in memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heaprake::cli {

// Legal order: begin, members or elements, end; a key before each value inside an object. Text that
// is not UTF-8 (an argument of a command line may be any bytes) has each bad byte replaced.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return begin('{'); }
  JsonWriter& end_object() { return end('}'); }
  JsonWriter& begin_array() { return begin('['); }
  JsonWriter& end_array() { return end(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view value);
  JsonWriter& number(uint64_t value);
  JsonWriter& signed_number(int64_t value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view value);  // a value that is JSON already, as it is
  // key and value in one.
  JsonWriter& member(std::string_view name, uint64_t value) { return key(name).number(value); }
  JsonWriter& member(std::string_view name, std::string_view value) {
    return key(name).string(value);
  }

  const std::string& text() const { return text_; }

 private:
  JsonWriter& begin(char bracket);
  JsonWriter& end(char bracket);
  void separate();
  void newline();
  void append_string(std::string_view value);

  std::string text_;
  struct Level {
    bool empty = true;
  };
  std::vector<Level> levels_;
  bool after_key_ = false;
};

}  // namespace heaprake::cli
