#include "cli/report/outputs.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "cli/failure.h"
#include "cli/report/formats.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

struct FileFormat {
  const char* option;
  const char* sentence;
  std::string (*format)(const Report&);
};

constexpr std::array kFormats = {
    FileFormat{"html", "write one page for a browser: findings, flame graphs, drawings; offline",
               html_page},
    FileFormat{"dot", "write the structures as a graph for Graphviz", dot_graph},
    FileFormat{"folded", "write folded stacks, a line each, with the bytes lost", folded_stacks},
    FileFormat{"speedscope", "write a flame graph for https://www.speedscope.app", speedscope_json},
    FileFormat{"pprof", "write a profile for `go tool pprof`", pprof_profile},
    FileFormat{"gen-suppressions", "write a suppression file that would silence every finding",
               suppressions_for}};

uint64_t number_of(const Arguments& arguments, const std::string& name) {
  uint64_t number = 0;
  if (!parse_number(arguments.value(name), &number))
    throw Failure(kExitUsage,
                  "--" + name + "=" + printable(arguments.value(name)) + ": N is a number");
  return number;
}

// "leaks.html" and 4711 make "leaks.4711.html".
std::string with_process(const std::string& path, uint64_t pid) {
  const size_t name = path.rfind('/') + 1;
  const size_t dot = path.rfind('.');
  const size_t at = dot == std::string::npos || dot <= name ? path.size() : dot;
  return path.substr(0, at) + "." + std::to_string(pid) + path.substr(at);
}

// As LeakSanitizer looks for it: here, or else where the program is.
std::string beside_program(const std::string& file, const Report& report) {
  const std::filesystem::path path(file);
  std::error_code error;
  if (path.is_absolute() || report.program.empty() || std::filesystem::exists(path, error))
    return file;
  const std::filesystem::path there = std::filesystem::path(report.program[0]).parent_path() / path;
  return std::filesystem::exists(there, error) ? there.string() : file;
}

}  // namespace

std::vector<OptionSpec> output_options() {
  std::vector<OptionSpec> specs = {
      {"json", Takes::kValue, "FILE",
       "write the report as JSON (heaprake-report/1): the worst 2,000 findings, or more by --top"}};
  for (const FileFormat& format : kFormats)
    specs.push_back({format.option, Takes::kValue, "FILE", format.sentence});
  specs.insert(
      specs.end(),
      {{"save", Takes::kValue, "FILE",
        "keep the snapshot of the memory, for why, diff, objects and report"},
       {"format", Takes::kValue, "text|lsan",
        "the report itself: for people (default), or as LeakSanitizer words it"},
       {"top", Takes::kValue, "N",
        "tell N findings in full and N more in a line (default 10; 0: all in full, in the JSON, "
        "too)"},
       {"suppressions", Takes::kValue, "FILE",
        "leave out what the rules in FILE name: LeakSanitizer's format, leak:PATTERN"},
       {"baseline", Takes::kValue, "FILE",
        "a former report (JSON): only findings that it does not have count as new"},
       {"max-leaks", Takes::kValue, "N",
        "up to N lost structures of a process are no failure (default 0); known ones do not count"},
       force_option()});
  return specs;
}

Outputs::Outputs(const Arguments& arguments) : force_(arguments.has("force")) {
  if (arguments.has("json")) json_.emplace(arguments.value("json"), force_);
  if (arguments.has("save")) save_.emplace(arguments.value("save"), force_);
  for (const FileFormat& format : kFormats) add_file(arguments, format.option, format.format);
  wants_html_ = arguments.has("html");
  check_distinct();
  if (arguments.has("format")) {
    const std::string format = arguments.value("format");
    if (format != "text" && format != "lsan")
      throw Failure(kExitUsage, "--format=" + printable(format) + ": it is text or lsan");
    lsan_ = format == "lsan";
  }
  if (arguments.has("top")) {
    style_.detailed = number_of(arguments, "top");
    extent_.findings = std::max(extent_.findings, style_.detailed);
    if (style_.detailed == 0) {
      style_.detailed = UINT32_MAX;
      extent_ = {};
    }
  }
  if (arguments.has("suppressions"))
    suppressions_ = read_suppressions(arguments.value("suppressions"));
  if (arguments.has("baseline")) baseline_ = read_baseline(arguments.value("baseline"));
  wants_top_ = arguments.has("top");
  if (const char* text = std::getenv("LSAN_OPTIONS")) lsan_options_ = text;
  if (arguments.has("max-leaks")) max_leaks_ = number_of(arguments, "max-leaks");
}

void Outputs::add_file(const Arguments& arguments, const std::string& name, Format format) {
  if (arguments.has(name)) files_.push_back({format, OutputFile(arguments.value(name), force_)});
}

void Outputs::check_distinct() const {
  std::set<std::string> paths;
  const auto add = [&](const OutputFile& file) {
    if (file.path() != "/dev/null" && !paths.insert(file.path()).second)
      throw Failure(kExitUsage, "two outputs name the same file, " + shell_quoted(file.path()));
  };
  if (json_) add(*json_);
  if (save_) add(*save_);
  for (const File& file : files_) add(file.file);
}

// What is wrong with them is the program's mistake, or that of whoever set LSAN_OPTIONS: a note.
void Outputs::add_programs_rules(Report* report, std::vector<Suppression>* rules) {
  const auto add = [&](const auto& read) {
    try {
      const std::vector<Suppression> more = read();
      rules->insert(rules->end(), more.begin(), more.end());
    } catch (const Failure& failure) {
      report->notes.push_back(failure.message);
    }
  };
  if (report->snapshot && !report->snapshot->suppressions.empty())
    add([&] {
      return parse_suppressions(report->snapshot->suppressions, "__lsan_default_suppressions");
    });
  for (const std::string& file : report->lsan.suppressions)
    add([&] { return read_suppressions(beside_program(file, *report)); });
}

void Outputs::refine(Report* report) const {
  if (report->snapshot) report->lsan.read(report->snapshot->options);
  report->lsan.read(lsan_options_);
  std::vector<Suppression> all = suppressions_;
  add_programs_rules(report, &all);
  suppress(report, all);
  if (baseline_) compare(report, *baseline_);
}

void Outputs::write_files(const Report& report, const Beside& beside) const {
  if (json_) {
    json_->write(json(report, beside));
    tell_left_out();
  }
  for (const File& file : files_) file.file.write(file.format(report));
}

// Who compares with it later would be refused.
void Outputs::tell_left_out() const {
  if (left_out_ == 0 || wants_top_) return;
  std::fprintf(stderr, "heaprake: %s leaves out %s, the smallest; --top=0 writes all\n",
               printable(json_->path()).c_str(), counted(left_out_, "finding").c_str());
}

void Outputs::write_process_files(const Report& report, const std::string& snapshot) const {
  if (save_) OutputFile(with_process(save_->path(), report.pid), force_).copy_from(snapshot);
  for (const File& file : files_)
    OutputFile(with_process(file.file.path(), report.pid), force_).write(file.format(report));
}

std::string Outputs::json(const Report& report, const Beside& beside) const {
  const size_t findings = report.findings.lost.size();
  left_out_ += findings - std::min(findings, extent_.findings);
  return report_json(report, beside, extent_);
}

std::string Outputs::text(const Report& report, bool colours) const {
  if (lsan_) return lsan_text(report);
  TextStyle style = style_;
  style.colours = colours;
  const std::optional<uint64_t>& most = report.lsan.max_leaks;
  if (most && !wants_top_) style.detailed = *most == 0 ? UINT32_MAX : *most;
  return report_text(report, style);
}

void Outputs::save(const std::string& snapshot) const {
  if (save_) save_->copy_from(snapshot);
}

}  // namespace heaprake::cli
