// The library's options as the command knows them: the rows of heaprake/options.def, the check of a
// value against its row, and the variable HEAPRAKE_OPTIONS that carries them.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.h"

namespace heaprake::cli {

enum class OptionKind { kMode, kSize, kNumber, kFlag, kOutput };

struct LibraryOption {
  OptionKind kind;
  const char* name;
  const char* default_value;
  const char* legal;  // in words; the numbers and words in it are what check_option accepts
  const char* sentence;
};

std::span<const LibraryOption> library_options();

// The rows as options of a subcommand, those named in `without` left out.
std::vector<OptionSpec> library_option_specs(const std::vector<std::string>& without = {});

// Throws a Failure (kExitUsage) that names the option and its legal values.
void check_option(const LibraryOption& option, const std::string& value);

// The library's options among the arguments, checked; paths are made absolute, because the program
// may change its directory before the library opens them.
std::map<std::string, std::string> chosen_options(const Arguments& arguments);

// HEAPRAKE_OPTIONS with `chosen` in place of what `existing` says about the same names.
std::string merge_options(std::string_view existing,
                          const std::map<std::string, std::string>& chosen);

// What HEAPRAKE_OPTIONS says about one name; the table's default if nothing.
std::string option_value(std::string_view options, std::string_view name);

}  // namespace heaprake::cli
