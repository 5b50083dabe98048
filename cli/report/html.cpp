#include <string_view>
#include <unordered_map>
#include <utility>

#include "cli/json_writer.h"
#include "cli/report/flame.h"
#include "cli/report/formats.h"
#include "cli/report/page_assets.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

// What a browser draws without a pause.
constexpr size_t kMostStacks = 10'000;

std::string flame_json(const Report& report) {
  FlameStacks flame = flame_stacks(report);
  keep_largest(kMostStacks, &flame);
  JsonWriter json;
  json.begin_object().key("names").begin_array();
  for (const FlameFrame& frame : flame.names) {
    json.begin_object()
        .member("name", shortened_inside(frame.name, kLongestName))
        .member("file", frame.file);
    json.member("line", frame.line).end_object();
  }
  json.end_array().key("stacks").begin_array();
  for (const FlameStack& stack : flame.stacks) {
    json.begin_object().key("frames").begin_array();
    for (uint32_t frame : stack.frames) json.number(frame);
    json.end_array().member("blocks", stack.blocks).member("bytes", stack.bytes);
    json.member("retained", stack.retained).end_object();
  }
  json.end_array().end_object();
  return json.text();
}

// The strings in a text of JSON, with their quotes; `use` is called with each value and where it
// ends.
template <class Use>
void each_string(std::string_view json, Use use) {
  for (size_t at = 0; (at = json.find('"', at)) != std::string_view::npos;) {
    size_t end = at + 1;
    while (json[end] != '"') end += json[end] == '\\' ? 2 : 1;
    ++end;
    if (end < json.size() && json[end] != ':') use(json.substr(at, end - at), at);
    at = end;
  }
}

// Data in which long texts that stand there several times are {"$": their position in "strings"}.
std::string with_strings_once(const std::string& report, const std::string& flame) {
  constexpr size_t kLong = 40;
  std::unordered_map<std::string_view, std::pair<size_t, size_t>> uses;  // number, position
  for (const std::string* json : {&report, &flame})
    each_string(*json, [&](std::string_view text, size_t) {
      if (text.size() > kLong) ++uses[text].first;
    });
  std::string strings;
  size_t positions = 0;
  const auto replaced = [&](std::string_view json) {
    std::string out;
    size_t done = 0;
    each_string(json, [&](std::string_view text, size_t at) {
      const auto use = uses.find(text);
      if (use == uses.end() || use->second.first < 2) return;
      if (use->second.second == 0) {
        strings.append(positions > 0 ? ",\n" : "").append(text);
        use->second.second = ++positions;
      }
      out.append(json.substr(done, at - done));
      out.append("{\"$\": " + std::to_string(use->second.second - 1) + "}");
      done = at + text.size();
    });
    return out.append(json.substr(done));
  };
  const std::string first = replaced(report), second = replaced(flame);
  return "{\"strings\": [" + strings + "],\n\"report\": " + first + ", \"flame\": " + second + "}";
}

// In JSON a "<" stands only in strings, where it may be written so: nothing in the data can end the
// element that it stands in.
std::string for_script(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (char c : json) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

void append_filled(std::string_view page, std::string_view mark, std::string_view content,
                   std::string* out, std::string_view* rest) {
  const size_t at = page.find(mark);
  out->append(page.substr(0, at)).append(content);
  *rest = page.substr(at + mark.size());
}

}  // namespace

std::string html_page(const Report& report) {
  const std::string data =
      for_script(with_strings_once(report_json(report, {}, kUsualExtent), flame_json(report)));
  std::string out;
  std::string_view rest = page_assets::kHtml;
  append_filled(rest, "@STYLE@", page_assets::kStyle, &out, &rest);
  append_filled(rest, "@DATA@", data, &out, &rest);
  append_filled(rest, "@SCRIPT@", page_assets::kScript, &out, &rest);
  return out.append(rest);
}

}  // namespace heaprake::cli
