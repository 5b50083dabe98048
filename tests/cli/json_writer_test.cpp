#include "cli/json_writer.h"

#include <gtest/gtest.h>

namespace heaprake::cli {
namespace {

std::string written(std::string_view text) {
  JsonWriter json;
  json.string(text);
  return json.text();
}

TEST(JsonWriter, EscapesWhatMustBeEscaped) {
  EXPECT_EQ(written("a\"b\\c\n\x01\x7f"), R"("a\"b\\c\u000a\u0001\u007f")");
  EXPECT_EQ(written(""), R"("")");
}

TEST(JsonWriter, KeepsUtf8AndReplacesWhatIsNot) {
  EXPECT_EQ(written("\u00e9\u20ac\U0001f600"), "\"\u00e9\u20ac\U0001f600\"");
  EXPECT_EQ(written("\xff"), R"("\ufffd")");
  EXPECT_EQ(written("\xe2\x82"), R"("\ufffd\ufffd")");            // cut short
  EXPECT_EQ(written("\xc0\x80"), R"("\ufffd\ufffd")");            // overlong
  EXPECT_EQ(written("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");  // a surrogate
  EXPECT_EQ(written("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");
}

TEST(JsonWriter, SeparatesMembersAndElements) {
  JsonWriter json;
  json.begin_object().member("a", uint64_t{1}).key("b").begin_array();
  json.number(2).signed_number(-3).boolean(true).null().begin_object().end_object().end_array();
  json.member("c", "d").end_object();
  std::string compact;
  for (char c : json.text())
    if (c != '\n' && c != ' ') compact += c;
  EXPECT_EQ(compact, R"({"a":1,"b":[2,-3,true,null,{}],"c":"d"})");
}

}  // namespace
}  // namespace heaprake::cli
