// A subcommand's command line: --name, --name=value, --name value, -x value, "--", operands.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heaprake::cli {

enum class Takes {
  kNothing,   // --name
  kOptional,  // --name or --name=value; never --name value, which would swallow an operand
  kValue,     // --name=value or --name value
};

struct OptionSpec {
  std::string name;  // without dashes
  Takes takes;
  std::string placeholder;  // of the value, in the help
  std::string sentence;     // of the help
  char letter = 0;          // a short form, 0 for none
  std::string bare = "1";   // the value of a bare --name
};

struct Arguments {
  std::map<std::string, std::string> options;  // the last one of a name counts
  std::vector<std::string> operands;

  bool has(const std::string& name) const { return options.contains(name); }
  std::string value(const std::string& name) const {
    const auto found = options.find(name);
    return found == options.end() ? std::string() : found->second;
  }
};

enum class Order {
  kMixed,         // options may stand after operands
  kProgramFirst,  // the first operand is a program: what follows is the program's own
};

// Throws a Failure (kExitUsage) that names the option at fault. "-h" is "--help".
Arguments parse_arguments(std::span<const OptionSpec> specs, Order order,
                          const std::vector<std::string>& words);

}  // namespace heaprake::cli
