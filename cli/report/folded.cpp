#include <algorithm>

#include "cli/json_writer.h"
#include "cli/report/flame.h"
#include "cli/report/formats.h"
#include "cli/report/frames.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

std::string program_of(const Report& report) {
  return report.program.empty() ? "program" : printable(base_name(report.program[0]));
}

void write_profile(JsonWriter& json, const FlameStacks& flame, std::string_view name,
                   std::string_view unit, uint64_t FlameStack::*amount) {
  uint64_t total = 0;
  json.begin_object().member("type", "sampled").member("name", name).member("unit", unit);
  json.key("samples").begin_array();
  for (const FlameStack& stack : flame.stacks) {
    json.begin_array();
    for (uint32_t frame : stack.frames) json.number(frame);
    json.end_array();
  }
  json.end_array().key("weights").begin_array();
  for (const FlameStack& stack : flame.stacks) {
    json.number(stack.*amount);
    total += stack.*amount;
  }
  json.end_array().member("startValue", uint64_t{0}).member("endValue", total).end_object();
}

}  // namespace

std::string folded_stacks(const Report& report) {
  const FlameStacks flame = flame_stacks(report);
  std::string text;
  for (const FlameStack& stack : flame.stacks) {
    std::string line = program_of(report);
    std::replace(line.begin(), line.end(), ';', ',');
    for (uint32_t frame : stack.frames) {
      std::string name = flame.names[frame].name;
      // Semicolons part the frames: a lambda's or a damaged name may have one.
      std::replace(name.begin(), name.end(), ';', ',');
      line += ";" + name;
    }
    text += line + " " + std::to_string(stack.bytes) + "\n";
  }
  return text;
}

std::string speedscope_json(const Report& report) {
  const FlameStacks flame = flame_stacks(report);
  JsonWriter json;
  json.begin_object().member("$schema", "https://www.speedscope.app/file-format-schema.json");
  json.member("name", "what " + program_of(report) + " has lost")
      .member("exporter", "heaprake@" HEAPRAKE_VERSION);
  // Readers pass over what they do not know.
  json.member("pid", report.pid);
  write_origin(json, report);
  json.key("shared").begin_object().key("frames").begin_array();
  for (const FlameFrame& frame : flame.names) {
    json.begin_object().member("name", frame.name);
    if (!frame.file.empty()) json.member("file", frame.file);
    if (frame.line != 0) json.member("line", frame.line);
    json.end_object();
  }
  json.end_array().end_object().key("profiles").begin_array();
  write_profile(json, flame, "leaked bytes", "bytes", &FlameStack::bytes);
  write_profile(json, flame, "leaked blocks", "none", &FlameStack::blocks);
  write_profile(json, flame, "bytes retained by roots", "bytes", &FlameStack::retained);
  json.end_array().member("activeProfileIndex", uint64_t{0}).end_object();
  return json.text();
}

}  // namespace heaprake::cli
