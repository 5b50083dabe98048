#include "cli/option_table.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "cli/failure.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

constexpr OptionKind MODE = OptionKind::kMode;
constexpr OptionKind STACKS = OptionKind::kMode;
constexpr OptionKind SIZE = OptionKind::kSize;
constexpr OptionKind NUMBER = OptionKind::kNumber;
constexpr OptionKind FLAG = OptionKind::kFlag;
constexpr OptionKind OUTPUT = OptionKind::kOutput;

constexpr LibraryOption kOptions[] = {
#define HEAPRAKE_OPTION(kind, name, value, legal, sentence) {kind, #name, value, legal, sentence},
#include "heaprake/options.def"
#undef HEAPRAKE_OPTION
};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

// The numbers that stand in words such as "0 to 64" or "1, 4 or 8".
std::vector<uint64_t> numbers_in(std::string_view words) {
  std::vector<uint64_t> numbers;
  for (size_t i = 0; i < words.size();) {
    if (!std::isdigit(static_cast<unsigned char>(words[i]))) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < words.size() && std::isdigit(static_cast<unsigned char>(words[end]))) ++end;
    uint64_t number = 0;
    if (parse_number(words.substr(i, end - i), &number)) numbers.push_back(number);
    i = end;
  }
  return numbers;
}

// One key=value of HEAPRAKE_OPTIONS, and the text that it was read from.
struct Setting {
  std::string name, value, text;
};

// The library's syntax, which is LeakSanitizer's: colons separate; a value in single or double
// quotes may hold colons.
std::vector<Setting> settings_in(std::string_view options) {
  std::vector<Setting> settings;
  while (!options.empty()) {
    size_t value_at = std::min(options.find_first_of("=:"), options.size());
    Setting setting;
    setting.name = options.substr(0, value_at);
    if (value_at < options.size() && options[value_at] == '=') ++value_at;
    const char quote = value_at < options.size() ? options[value_at] : '\0';
    size_t end =
        quote == '\'' || quote == '"' ? options.find(quote, value_at + 1) : std::string_view::npos;
    if (end != std::string_view::npos) {
      setting.value = options.substr(value_at + 1, end - value_at - 1);
      ++end;
    } else {
      end = std::min(options.find(':', value_at), options.size());
      setting.value = options.substr(value_at, end - value_at);
    }
    setting.text = options.substr(0, end);
    options.remove_prefix(
        std::min(end + (end < options.size() && options[end] == ':' ? 1 : 0), options.size()));
    if (!setting.text.empty()) settings.push_back(setting);
  }
  return settings;
}

std::string quoted_value(const std::string& value) {
  if (value.find(':') == std::string::npos && !value.starts_with('\'') && !value.starts_with('"'))
    return value;
  const std::string quote(1, value.find('\'') == std::string::npos ? '\'' : '"');
  return quote + value + quote;
}

bool legal_number(std::string_view legal, const std::string& value) {
  uint64_t number = 0;
  if (!parse_number(value, &number)) return false;
  const std::vector<uint64_t> numbers = numbers_in(legal);
  if (legal.find(" to ") != std::string_view::npos && numbers.size() == 2)
    return number >= numbers[0] && number <= numbers[1];
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

bool legal_size(std::string_view value) {
  uint64_t unit = 1;
  if (!value.empty()) {
    switch (value.back()) {
      case 'k':
      case 'K':
        unit = uint64_t{1} << 10;
        break;
      case 'm':
      case 'M':
        unit = uint64_t{1} << 20;
        break;
      case 'g':
      case 'G':
        unit = uint64_t{1} << 30;
        break;
      default:
        break;
    }
  }
  if (unit > 1) value.remove_suffix(1);
  uint64_t number = 0;
  return parse_number(value, &number) && number <= UINT64_MAX / unit;
}

bool legal_word(std::string_view legal, std::string_view value) {
  const std::vector<std::string_view> words = split(legal, '|');
  return std::find(words.begin(), words.end(), value) != words.end();
}

bool legal_value(const LibraryOption& option, const std::string& value) {
  switch (option.kind) {
    case OptionKind::kMode:
      return legal_word(option.legal, value);
    case OptionKind::kSize:
      return legal_size(value);
    case OptionKind::kNumber:
      return legal_number(option.legal, value);
    case OptionKind::kFlag:
      return value == "0" || value == "1";
    case OptionKind::kOutput:
      return !value.empty() && (value != "1" || legal_number(option.legal, value));
  }
  return false;
}

std::string legal_in_words(const LibraryOption& option) {
  switch (option.kind) {
    case OptionKind::kMode: {
      std::string words(option.legal);
      for (size_t at; (at = words.find('|')) != std::string::npos;) words.replace(at, 1, ", ");
      const size_t last = words.rfind(", ");
      if (last != std::string::npos) words.replace(last, 2, " or ");
      return words;
    }
    case OptionKind::kSize:
      return std::string(option.legal) + " such as 512k, 32m or 1g";
    default:
      return option.legal;
  }
}

}  // namespace

std::span<const LibraryOption> library_options() {
  return kOptions;
}

std::vector<OptionSpec> library_option_specs(const std::vector<std::string>& without) {
  std::vector<OptionSpec> specs;
  for (const LibraryOption& option : kOptions) {
    if (std::find(without.begin(), without.end(), option.name) != without.end()) continue;
    const bool bare = option.kind == OptionKind::kFlag ||
                      (option.kind == OptionKind::kOutput && legal_number(option.legal, "1"));
    const char* placeholder = option.kind == OptionKind::kMode     ? option.legal
                              : option.kind == OptionKind::kSize   ? "SIZE"
                              : option.kind == OptionKind::kOutput ? "PATH"
                              : option.kind == OptionKind::kFlag   ? "0|1"
                                                                   : "N";
    std::string sentence = option.sentence;
    if (option.kind == OptionKind::kNumber) sentence += "; " + std::string(option.legal);
    sentence += " (default " + std::string(option.default_value) + ")";
    specs.push_back({option.name, bare ? Takes::kOptional : Takes::kValue, placeholder, sentence});
  }
  return specs;
}

void check_option(const LibraryOption& option, const std::string& value) {
  if (!legal_value(option, value))
    throw Failure(kExitUsage, "--" + std::string(option.name) + "=" + printable(value) + ": " +
                                  option.name + " must be " + legal_in_words(option));
  if (value.find('\'') != std::string::npos && value.find('"') != std::string::npos)
    throw Failure(kExitUsage, "--" + std::string(option.name) + "=" + printable(value) +
                                  ": the path may not contain both kinds of quotes");
}

std::map<std::string, std::string> chosen_options(const Arguments& arguments) {
  std::map<std::string, std::string> chosen;
  for (const LibraryOption& option : kOptions) {
    if (!arguments.has(option.name)) continue;
    std::string value = arguments.value(option.name);
    check_option(option, value);
    if (option.kind == OptionKind::kOutput && value != "0" && value != "1") {
      value = std::filesystem::absolute(value).lexically_normal().string();
      check_option(option, value);
    }
    chosen[option.name] = value;
  }
  return chosen;
}

std::string merge_options(std::string_view existing,
                          const std::map<std::string, std::string>& chosen) {
  std::string merged;
  const auto append = [&](std::string_view option) {
    if (!merged.empty()) merged += ':';
    merged += option;
  };
  for (const Setting& setting : settings_in(existing)) {
    if (!chosen.contains(setting.name)) append(setting.text);
  }
  for (const auto& [name, value] : chosen) append(name + "=" + quoted_value(value));
  return merged;
}

std::string option_value(std::string_view options, std::string_view name) {
  std::string value;
  for (const LibraryOption& option : kOptions)
    if (option.name == name) value = option.default_value;
  // As the library reads it: the last one counts.
  for (const Setting& setting : settings_in(options))
    if (setting.name == name) value = setting.value;
  return value;
}

}  // namespace heaprake::cli
