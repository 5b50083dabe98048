#include "cli/report/lsan_options.h"

#include <algorithm>

#include "cli/text.h"

namespace heaprake::cli {

namespace {

constexpr std::string_view kSeparators = ":, \t\r\n";

// A value in quotes may have separators in it.
std::string_view take_value(std::string_view* text) {
  const char quote = text->empty() ? '\0' : text->front();
  const bool quoted = quote == '"' || quote == '\'';
  if (quoted) text->remove_prefix(1);
  const size_t end =
      std::min(quoted ? text->find(quote) : text->find_first_of(kSeparators), text->size());
  const std::string_view value = text->substr(0, end);
  text->remove_prefix(std::min(end + (quoted ? 1 : 0), text->size()));
  return value;
}

bool is_true(std::string_view value) {
  return value == "1" || value == "true" || value == "yes";
}

}  // namespace

void LsanOptions::read(std::string_view text) {
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kSeparators), text.size()));
    const size_t end = text.find('=');
    if (end == std::string_view::npos) return;
    const std::string_view name = text.substr(0, end);
    text.remove_prefix(end + 1);
    set(name, take_value(&text));
  }
}

void LsanOptions::set(std::string_view name, std::string_view value) {
  constexpr uint64_t kMostStatus = 255;
  uint64_t number = 0;
  const bool is_number = parse_number(value, &number);
  if (name == "exitcode" && is_number && number <= kMostStatus)
    exitcode = static_cast<int>(number);
  else if (name == "max_leaks" && is_number)
    max_leaks = number;
  else if (name == "suppressions" && !value.empty())
    suppressions.assign(1, std::string(value));
  else if (name == "print_suppressions")
    print_suppressions = is_true(value);
  else if (name == "report_objects")
    report_objects = is_true(value);
}

}  // namespace heaprake::cli
