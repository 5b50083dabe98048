#include "cli/arguments.h"

#include <algorithm>

#include "cli/failure.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

[[noreturn]] void unknown_option(std::string_view name, std::span<const OptionSpec> specs) {
  std::vector<std::string> names;
  for (const OptionSpec& spec : specs) names.push_back(spec.name);
  const std::string guess = nearest(name, names);
  throw Failure(kExitUsage, "unknown option --" + printable(name) +
                                (guess.empty() ? "" : "; did you mean --" + guess + "?"));
}

// Parses one option at words[*i]; moves *i to the last word that it used.
void parse_option(std::span<const OptionSpec> specs, const std::vector<std::string>& words,
                  size_t* i, Arguments* out) {
  const std::string& word = words[*i];
  const bool is_long = word.starts_with("--");
  const size_t equals = is_long ? word.find('=') : std::string::npos;
  const bool has_value = is_long ? equals != std::string::npos : word.size() > 2;
  const std::string name = is_long ? word.substr(2, equals - 2) : word.substr(1, 1);

  const auto spec = std::find_if(specs.begin(), specs.end(), [&](const OptionSpec& candidate) {
    return is_long ? candidate.name == name : candidate.letter == name[0];
  });
  if (spec == specs.end()) {
    if (is_long) unknown_option(name, specs);
    throw Failure(kExitUsage, "unknown option " + printable(word));
  }
  const std::string given = (is_long ? "--" : "-") + name;
  if (has_value) {
    if (spec->takes == Takes::kNothing) throw Failure(kExitUsage, given + " takes no value");
    out->options[spec->name] = word.substr(is_long ? equals + 1 : 2);
  } else if (spec->takes != Takes::kValue) {
    out->options[spec->name] = spec->bare;
  } else if (*i + 1 < words.size() && words[*i + 1] != "--") {
    out->options[spec->name] = words[++*i];
  } else {
    throw Failure(kExitUsage,
                  given + " needs a value: " + given + (is_long ? "=" : " ") + spec->placeholder);
  }
}

}  // namespace

Arguments parse_arguments(std::span<const OptionSpec> specs, Order order,
                          const std::vector<std::string>& words) {
  std::vector<OptionSpec> all(specs.begin(), specs.end());
  all.push_back({"help", Takes::kNothing, "", "print this help", 'h'});
  Arguments out;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      out.operands.insert(out.operands.end(), words.begin() + static_cast<long>(i) + 1,
                          words.end());
      break;
    }
    if (word.size() > 1 && word[0] == '-') {
      parse_option(all, words, &i, &out);
      continue;
    }
    if (order == Order::kProgramFirst) {
      out.operands.assign(words.begin() + static_cast<long>(i), words.end());
      break;
    }
    out.operands.push_back(word);
  }
  return out;
}

}  // namespace heaprake::cli
