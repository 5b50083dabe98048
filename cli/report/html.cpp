#include "cli/json_writer.h"
#include "cli/report/flame.h"
#include "cli/report/formats.h"
#include "cli/report/page_assets.h"

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
    json.begin_object().member("name", frame.name).member("file", frame.file);
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
  const std::string data = for_script("{\"report\": " + report_json(report, {}, kUsualExtent) +
                                      ", \"flame\": " + flame_json(report) + "}");
  std::string out;
  std::string_view rest = page_assets::kHtml;
  append_filled(rest, "@STYLE@", page_assets::kStyle, &out, &rest);
  append_filled(rest, "@DATA@", data, &out, &rest);
  append_filled(rest, "@SCRIPT@", page_assets::kScript, &out, &rest);
  return out.append(rest);
}

}  // namespace heaprake::cli
